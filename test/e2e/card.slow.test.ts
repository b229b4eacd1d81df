import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { AttachedRefCache } from '../../src/mcp/index.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { browserIsInstalled, launchBrowser } from '../browser.ts'
import { startHost } from './card/host.ts'

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const BAIT = '<img src=x onerror="document.title = `taken`">'

/** Where screenshots go; none are made without it. */
const SCREENSHOTS = process.env.CARD_SCREENSHOTS

let browser: Browser
beforeAll(async () => {
  if (browserIsInstalled) browser = await launchBrowser()
})
afterAll(() => browser?.close())

interface Shown {
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  readonly capabilities?: object
  readonly variables?: Readonly<Record<string, string>>
  readonly failing?: (tool: string) => boolean
}

/** The card beside a call of the tool, in a real browser. */
async function shown(
  tools: (attached: AttachedRefCache) => void,
  { theme = 'light', width = 480, capabilities = { serverTools: {} }, variables, failing }: Shown = {},
) {
  const cache = new RefCache({ name: 't' })
  const host = await startHost(cache, tools, { ...(failing ? { failing } : {}) })
  const page = await browser.newPage({ viewport: { width, height: 560 }, colorScheme: theme })
  onTestFinished(async () => {
    await page.close()
    await host.stop()
    await cache.close()
  })
  const problems: string[] = []
  page.on('pageerror', error => problems.push(error.message))
  page.on('console', message => message.type() === 'error' && problems.push(message.text()))
  page.on('request', request => request.url().startsWith(host.url) || problems.push(request.url()))
  await page.goto(host.url)
  const context = {
    theme,
    toolInfo: { tool: { name: 'crawl', title: 'Crawl a site', inputSchema: { type: 'object' } } },
    ...(variables ? { styles: { variables } } : {}),
  }
  const called = { name: 'crawl', arguments: {} }
  await page.evaluate(
    `show(${JSON.stringify(called)}, ${JSON.stringify(context)}, ${JSON.stringify(capabilities)})`,
  )
  return { page, card: cardIn(page), host, problems }
}

function cardIn(page: Page): Frame {
  return page.frames().find(frame => frame.url().endsWith('/card'))!
}

/** What axe finds that keeps somebody from using it. */
async function barriers(card: Frame): Promise<string[]> {
  await card.evaluate(AXE)
  const { violations } = await card.evaluate<{ violations: Violation[] }>('axe.run()')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ help }) => help)
}

interface Violation {
  readonly impact: string
  readonly help: string
}

async function picture(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/card-${name}.png` })
}

const percentOf = async (card: Frame) =>
  Number(await card.getByRole('progressbar').getAttribute('aria-valuenow'))

/** A tool that goes on when the test says so. */
function stepwise() {
  let go: (step: 'on' | 'fail') => void = () => {}
  const next = () =>
    new Promise<'on' | 'fail'>(resolve => {
      go = resolve
    })
  const rows = Array.from({ length: 400 }, (_, n) => ({
    page: n + 1,
    title: n === 0 ? BAIT : `Page ${n + 1}`,
    ms: n * 7,
  }))
  const tools = ({ registerTool }: AttachedRefCache) => {
    registerTool('crawl', { maxRetries: 0, preview: { maxSize: 400, inlineLimit: 400 } }, async (_, task) => {
      for (const step of [12, 36, 50]) {
        task.progress(step, 50, `page ${step} of 50 ${BAIT}`)
        if ((await next()) === 'fail') throw new Error(`upstream returned 503 ${BAIT}`)
      }
      return rows
    })
  }
  return { tools, step: (how: 'on' | 'fail' = 'on') => go(how) }
}

describe.skipIf(!browserIsInstalled)('the progress card in a browser', () => {
  for (const theme of ['light', 'dark'] as const) {
    it(`moves its bar, and shows the table when the task is done, ${theme}`, async () => {
      const { tools, step } = stepwise()
      const { page, card, host, problems } = await shown(tools, {
        theme,
        width: theme === 'dark' ? 360 : 480,
      })
      await expect.poll(() => percentOf(card)).toBe(24)
      expect(await card.getByRole('heading').textContent()).toBe('Crawl a site')
      expect(await card.locator('.details').textContent()).toContain('page 12 of 50')
      expect(await barriers(card)).toEqual([])
      await picture(page, `running-${theme}`)
      step()
      await expect.poll(() => percentOf(card)).toBe(72)
      step()
      await expect.poll(() => percentOf(card)).toBe(100)
      step()
      await card.getByRole('table').waitFor()
      expect(await card.getByRole('columnheader').allTextContents()).toEqual(['page', 'title', 'ms'])
      expect(await card.getByRole('status').textContent()).toBe('done')
      expect(await card.getByRole('button', { name: 'Cancel' }).count()).toBe(0)
      expect(await barriers(card)).toEqual([])
      await picture(page, `done-${theme}`)
      await card.getByRole('button', { name: 'Show all, page by page' }).click()
      await expect.poll(() => card.locator('.pages').textContent()).toContain('page 1 of 2, 400 items')
      await card.getByRole('button', { name: 'Next' }).click()
      await card.getByText('Page 400').waitFor()
      expect(await card.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true)
      await picture(page, `page-${theme}`)
      expect(new Set(host.calls)).toEqual(new Set(['crawl', 'get_cached_result']))
      // Its frame is as high as the card: nothing of it is hidden.
      const heights = await page.locator('iframe').evaluate(({ clientHeight }) => clientHeight)
      expect(heights).toBeGreaterThanOrEqual(await card.evaluate<number>('document.body.scrollHeight'))
      expect(problems).toEqual([])
    })
  }

  it('shows what comes from outside as text', async () => {
    const { tools, step } = stepwise()
    const { page, card, problems } = await shown(tools)
    await card.getByText(`page 12 of 50 ${BAIT}`).waitFor()
    step('fail')
    await card.getByText(`upstream returned 503 ${BAIT}`).waitFor()
    expect(await card.getByRole('status').textContent()).toBe('failed')
    expect(await barriers(card)).toEqual([])
    await picture(page, 'failed')
    await card.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => percentOf(card)).toBe(24)
    for (const percent of [72, 100]) {
      step()
      await expect.poll(() => percentOf(card)).toBe(percent)
    }
    step()
    await card.getByRole('button', { name: 'Show all, page by page' }).click()
    await card.getByRole('cell', { name: BAIT }).waitFor()
    expect(await card.locator('img').count()).toBe(0)
    expect(await card.title()).toBe('Progress of a tool call')
    expect(problems).toEqual([])
  })

  it('cancels the task, by keyboard too', async () => {
    let abort = () => {}
    const aborted = new Promise<void>(resolve => {
      abort = resolve
    })
    const { page, card, host } = await shown(({ registerTool }) => {
      registerTool('crawl', {}, (_, task) => {
        task.signal.addEventListener('abort', () => abort())
        return new Promise(() => {})
      })
    })
    await card.getByRole('button', { name: 'Cancel' }).focus()
    await page.keyboard.press('Enter')
    await aborted
    await card.getByText('cancelled').first().waitFor()
    await picture(page, 'cancelled')
    expect(host.calls.filter(name => name === 'cancel_task')).toHaveLength(1)
    expect(await card.getByRole('progressbar').count()).toBe(0)
    const asked = host.calls.length
    await page.waitForTimeout(1_500)
    expect(host.calls).toHaveLength(asked)
  })

  it('says that the host is away, and goes on when it is back', async () => {
    let isAway = false
    const { tools, step } = stepwise()
    const { page, card } = await shown(tools, { failing: name => isAway && name === 'get_cached_result' })
    await expect.poll(() => percentOf(card)).toBe(24)
    isAway = true
    await card.getByRole('alert').waitFor()
    expect(await percentOf(card)).toBe(24)
    await picture(page, 'away')
    isAway = false
    step()
    await expect.poll(() => percentOf(card)).toBe(72)
    expect(await card.getByRole('alert').count()).toBe(0)
  })

  it('asks nothing where the host lets no card ask, and says so', async () => {
    const { tools } = stepwise()
    const { page, card, host } = await shown(tools, { capabilities: {} })
    await card.getByText('ask in the chat how far it is').waitFor()
    expect(await card.getByRole('button').count()).toBe(0)
    await page.waitForTimeout(1_500)
    expect(host.calls).toEqual(['crawl'])
  })

  it('shows a quick result at once, in the colours of its host', async () => {
    const text = '{"id":1234567890123456789,"site":"example.org"}'
    const { page, card, host } = await shown(
      ({ registerTool }) => void registerTool('crawl', {}, () => ({ content: [{ type: 'text', text }] })),
      { variables: { '--color-text-primary': 'rgb(1, 2, 3)' } },
    )
    await card.getByRole('cell', { name: 'example.org' }).waitFor()
    expect(await card.getByRole('cell', { name: '1234567890123456789' }).count()).toBe(1)
    expect(await card.evaluate('getComputedStyle(document.body).color')).toBe('rgb(1, 2, 3)')
    await page.evaluate("bridge.setHostContext({ theme: 'dark' })")
    await expect
      .poll(() => card.evaluate('getComputedStyle(document.documentElement).colorScheme'))
      .toBe('dark')
    await picture(page, 'quick')
    expect(host.calls).toEqual(['crawl'])
  })
})
