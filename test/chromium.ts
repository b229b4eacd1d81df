import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Debian's Chromium, or the one that CHROMIUM names. */
const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
const place = PLACES.find(path => path !== undefined && existsSync(path))

/**
 * Whether there is a browser; the tests that need it are skipped without it, except in CI, where a missing browser must not hide
 * failures.
 */
export const chromiumIsInstalled = place !== undefined

if (!chromiumIsInstalled) {
  const install = 'apt-get install chromium, or say in CHROMIUM where it is'
  if (process.env.CI) throw new Error(`Chromium is not installed: ${install}.`)
  console.error(`!!! Chromium is not installed: TESTS IN A BROWSER ARE SKIPPED. ${install} !!!`)
}

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser with an empty profile of its own, without a window. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: place!, headless: true, args: QUIET })
}
