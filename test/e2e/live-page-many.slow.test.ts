import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserIsInstalled, launchBrowser } from '../browser.ts'
import { type Scene, startScene } from './fixtures/live-page.ts'

const ENTRIES = 10_000
const AT_ONCE = 200
const SCROLL_MS = 10_000

let browser: Browser
let scene: Scene
beforeAll(async () => {
  if (!browserIsInstalled) return
  browser = await launchBrowser()
  scene = await startScene(browser)
  for (let i = 0; i < ENTRIES; i += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, k) => i + k)
    await Promise.all(some.map(n => scene.cache.set(`entry ${n}`, { n }, { toolName: 'many' })))
  }
})
afterAll(async () => {
  await browser?.close()
  await scene?.close()
})

/** Counts frames that took longer than 50 ms from now on. */
const COUNT_FRAMES = `
  globalThis.frames_ = { all: 0, long: [] }
  let last = performance.now()
  requestAnimationFrame(function frame(now) {
    frames_.all += 1
    if (now - last > 50) frames_.long.push(Math.round(now - last))
    last = now
    requestAnimationFrame(frame)
  })`

/** Milliseconds from the start of the navigation to the first paint, and to the first row. */
async function paintTimes(page: Page): Promise<number[]> {
  await page.reload()
  const row = page.evaluate(`new Promise(resolve => {
    const look = () => document.querySelector('.entry.is-row') ? resolve(performance.now()) : requestAnimationFrame(look)
    look()
  })`)
  const rowAt = Number(await row)
  const painted = Number(
    await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0`),
  )
  return [Math.round(painted), Math.round(rowAt)]
}

describe.runIf(browserIsInstalled)(`the live page of ${ENTRIES} entries`, () => {
  it('scrolls to the end, with few elements in the page', async () => {
    const page = await scene.open()
    const painted = [await paintTimes(page), await paintTimes(page), await paintTimes(page)]
    console.log(`live page: first paint, first row: ${painted.map(String).join('; ')} ms`)
    await page.locator('.entry.is-row').first().hover()
    await page.evaluate(COUNT_FRAMES)
    let most = 0
    for (const end = performance.now() + SCROLL_MS; performance.now() < end; ) {
      await page.mouse.wheel(0, 900)
      most = Math.max(most, await page.locator('.entry.is-row').count())
    }
    const { all, long } = (await page.evaluate('frames_')) as { all: number; long: number[] }
    const place = await page.locator('.entry.is-row').last().getAttribute('aria-posinset')
    console.log(
      `live page: ${SCROLL_MS / 1_000} s of scrolling to row ${place}: ${all} frames, ${long.length} over 50 ms: ${long.slice(0, 20)}`,
    )
    expect(most).toBeLessThan(80)
    await page.locator('[role=listbox]').press('End')
    await expect.poll(() => placeAfterEnd(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(ENTRIES)
    await page.context().close()
  })
})

async function placeAfterEnd(page: Page): Promise<number> {
  await page.locator('[role=listbox]').press('End')
  return Number(await page.locator('.entry.is-row').last().getAttribute('aria-posinset'))
}
