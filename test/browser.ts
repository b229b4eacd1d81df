import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const place = PLACES.find(path => existsSync(path))

/**
 * Whether a Chromium is installed; the tests that need it are skipped without it, except in CI, where a missing browser must not hide
 * failures.
 */
export const browserIsInstalled = place !== undefined

if (!browserIsInstalled && process.env.CI) {
  throw new Error('Chromium is not installed: apt-get install chromium.')
}

/** One loud line; called from one file only, so that it is said once a run. */
export function sayWhatIsSkipped(): void {
  if (browserIsInstalled) return
  console.error('!!! Chromium is not installed: THE LIVE PAGE IS NOT TRIED. apt-get install chromium !!!')
}

/** A browser without a window, which asks nobody but the page's server for anything. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(place === undefined ? {} : { executablePath: place }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  })
}
