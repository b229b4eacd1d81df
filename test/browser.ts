import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** The one that CHROMIUM names, or where systems put it. */
const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const place = PLACES.find(path => path !== undefined && existsSync(path))

/**
 * Whether a Chromium is installed; the tests that need it are skipped without it, except in CI, where a missing browser must not hide
 * failures.
 */
export const browserIsInstalled = place !== undefined

const INSTALL = 'apt-get install chromium, or say in CHROMIUM where it is'

if (!browserIsInstalled && process.env.CI) throw new Error(`Chromium is not installed: ${INSTALL}.`)

/** One loud line; called from one file only, so that it is said once a run. */
export function sayWhatIsSkipped(): void {
  if (browserIsInstalled) return
  console.error(`!!! Chromium is not installed: TESTS IN A BROWSER ARE SKIPPED. ${INSTALL} !!!`)
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

/** A browser without a window, which asks nobody but the page's server for anything. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ ...(place === undefined ? {} : { executablePath: place }), args: QUIET })
}
