import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserIsInstalled, launchBrowser } from '../browser.ts'
import { AXE, complaintsOfAxe } from './fixtures/axe.ts'
import { servePage } from './fixtures/page-server.mjs'
import { STATES } from './fixtures/page-states.mjs'

type Server = Awaited<ReturnType<typeof servePage>>

const LOOKS = [
  ['light', 1_440],
  ['dark', 1_440],
  ['light', 360],
  ['dark', 360],
] as const
const SEED = { entries: 60, running: 5 }

let browser: Browser
beforeAll(async () => {
  if (browserIsInstalled) browser = await launchBrowser()
})
afterAll(() => browser?.close())

/** A page on made-up entries. It is served from here, so that all can be shown that a server may say. */
async function onPage(seed: object, look: (page: Page, server: Server) => Promise<void>) {
  const server = await servePage(seed)
  const context = await browser.newContext({ viewport: { width: 1_440, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  await page.goto(server.url)
  await page.locator('.section-head').first().waitFor()
  await look(page, server).finally(async () => {
    await context.close()
    await server.stop()
  })
}

describe.runIf(browserIsInstalled)('the live page', () => {
  it.each(Object.entries(STATES))('keeps nobody out: %s', async (_, { seed = SEED, show }) => {
    await onPage(seed, async (page, server) => {
      await show?.(page, server)
      await page.evaluate(AXE)
      for (const [colorScheme, width] of LOOKS) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.setViewportSize({ width, height: 900 })
        expect({ colorScheme, width, complaints: await complaintsOfAxe(page) }).toMatchObject({ complaints: [] })
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
      }
    })
  })
})
