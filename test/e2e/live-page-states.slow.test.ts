import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../src/ui/api.ts'
import { browserIsInstalled, launchBrowser } from '../browser.ts'
import { AXE, complaintsOfAxe } from './fixtures/axe.ts'
import { servePage } from './fixtures/page-server.mjs'
import { STATES } from './fixtures/page-states.mjs'

type Server = Awaited<ReturnType<typeof servePage>>
type Seed = Parameters<typeof servePage>[0]

/** Contrast depends on the colours alone, the layout on the width alone. */
const LOOKS = [
  ['light', 1_440],
  ['dark', 360],
] as const
const SEED = { entries: 60, running: 5 }

let browser: Browser
beforeAll(async () => {
  if (browserIsInstalled) browser = await launchBrowser()
})
afterAll(() => browser?.close())

const changed = (row: Row | undefined, more: object) => ({ ...row, ...more }) as Row

/** A page on made-up entries. It is served from here, so that all can be shown that a server may say. */
async function onPage(seed: Seed, look: (page: Page, server: Server) => Promise<void>) {
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
  it.each(Object.entries(STATES))('keeps nobody out: %s', async (_, { seed = SEED, show, part }) => {
    await onPage(seed, async (page, server) => {
      await show?.(page, server)
      await page.evaluate(AXE)
      for (const [colorScheme, width] of LOOKS) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.setViewportSize({ width, height: 900 })
        expect({ colorScheme, width, complaints: await complaintsOfAxe(page, part) }).toMatchObject({
          complaints: [],
        })
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(
          0,
        )
      }
    })
  })

  it('moves nothing that is looked at while tasks start, report and end and entries come in', async () => {
    await onPage({ entries: 60, running: 2 }, async (page, { state, tell }) => {
      await page.getByText('list of').first().waitFor()
      await page.evaluate(WATCH_SHIFTS)
      const now = () => new Date().toISOString()
      const isNew = { createdAt: now(), startedAt: now(), progress: undefined, etaSeconds: undefined }
      const started = [1, 2, 3].map(n =>
        changed(state.tasks[0], { ...isNew, ref: `browser:${String(n).repeat(32)}`, tool: `started ${n}` }),
      )
      state.tasks.push(...started)
      tell(started)
      await page.getByText('started 3').waitFor()
      const half = { current: 1, total: 2, percentage: 50, message: 'half' }
      tell(started.map(task => changed(task, { progress: half })))
      await page.getByText('half').first().waitFor()
      const end = { status: 'complete', completedAt: now(), bytes: 9_000, may: ['read'] }
      const ended = started.map(task => changed(task, end))
      state.tasks.length = 2
      state.entries.unshift(...ended)
      tell(ended)
      await page.locator('.entry.is-row').filter({ hasText: 'started 3' }).waitFor()
      await expect.poll(() => page.locator('.task').count()).toBe(2)
      // What is left is digits that get more: "9 s" becomes "10 s". A row that jumps is 0.02.
      const shifts = (await page.evaluate('shifts_')) as Shift[]
      expect({ shifts, sum: shifts.reduce((sum, [value]) => sum + value, 0) < 0.001 }).toMatchObject({
        sum: true,
      })
    })
  })

  it('is worked by keyboard alone, and the focus is never lost', async () => {
    await onPage(SEED, async page => {
      const focused = (selector: string) => page.locator(`${selector}:focus`).count()
      const press = async (...keys: string[]) => {
        for (const key of keys) await page.keyboard.press(key)
      }
      await press('/')
      expect(await focused('[type=search]')).toBe(1)
      await page.keyboard.type('read_log')
      await expect
        .poll(() => page.locator('.entry.is-row').filter({ hasNotText: 'read_log' }).count())
        .toBe(0)
      await press('Escape')
      await page.locator('.entry.is-row').filter({ hasText: 'search_issues' }).first().waitFor()
      await page.locator('.task').nth(1).locator('.task-name').focus()
      await press('ArrowDown')
      expect(await focused('.task:nth-child(3) .task-name')).toBe(1)
      await press('Tab', 'ArrowUp')
      expect(await focused('.task:nth-child(2) button')).toBe(1)
      await press('Enter')
      await page.getByRole('status').getByText('embed_documents is cancelled.').waitFor()
      await expect.poll(() => focused('.task:nth-child(2) .task-name')).toBe(1)
      await press('Enter')
      await page.locator('.opened .facts').waitFor()
      await press('Escape')
      await page.getByRole('heading', { name: 'Over time' }).waitFor()
      expect(await focused('.task .task-name')).toBe(1)
      await press('Tab', 'Tab')
      expect(await focused('.task *')).toBe(0)
    })
  })

  it('keeps the row under the pointer where it is, and says how many are newer', async () => {
    await onPage({ entries: 60, running: 3 }, async (page, { state, tell }) => {
      const add = (tool: string) => {
        const isNew = { ref: `files:${tool.repeat(32)}`, tool, createdAt: new Date().toISOString() }
        const row = changed(state.entries[0], isNew)
        state.entries.unshift(row)
        tell([row])
      }
      const pointed = page.locator('.entry.is-row').nth(2)
      await pointed.hover()
      const ref = await pointed.getAttribute('id')
      const top = async () => (await page.locator(`[id="${ref}"]`).boundingBox())?.y
      const before = await top()
      add('a')
      await page.getByRole('button', { name: '1 newer entry' }).waitFor()
      add('b')
      await page.getByRole('button', { name: '2 newer entries' }).waitFor()
      expect(await top()).toBe(before)
      await page.locator('.top h1').hover()
      await expect.poll(() => page.locator('.entry.is-row').first().textContent()).toMatch(/^complete\s*b/)
      // A task that ends stays under the pointer, too.
      const task = page.locator('.task').first()
      await task.hover()
      const end = { status: 'cancelled', completedAt: new Date().toISOString(), may: [] }
      tell([changed(state.tasks[0], end)])
      await page.locator('.task.is-leaving').waitFor()
      await page.waitForTimeout(LINGER_MS + 600)
      expect(await page.locator('.task').count()).toBe(3)
      await page.locator('.top h1').hover()
      await expect.poll(() => page.locator('.task').count()).toBe(2)
    })
  })
})

type Shift = readonly [value: number, ...nodes: string[]]

/** A task that has ended is shown for so long. */
const LINGER_MS = 4_000

/** What moved without somebody having clicked or typed, from now on. */
const WATCH_SHIFTS = `
  globalThis.shifts_ = []
  new PerformanceObserver(list => {
    for (const { value, hadRecentInput, sources } of list.getEntries())
      if (!hadRecentInput) shifts_.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 120) ?? String(node))])
  }).observe({ type: 'layout-shift' })`
