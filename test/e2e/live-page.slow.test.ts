import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { toNodeHandler } from '@modelcontextprotocol/node'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Actor, actor, Permission, RefCache } from '../../dist/index.js'
import { uiHandler } from '../../dist/ui/index.js'
import { browserIsInstalled, launchBrowser, sayWhatIsSkipped } from '../browser.ts'
import { type Scene, startScene } from './fixtures/live-page.ts'
import { MAIN, PLAIN, until } from './fixtures/wrap-harness.ts'

sayWhatIsSkipped()

const ATTACK = '<img src=x onerror="document.title = \'ran\'">'
const RECORDS = Array.from({ length: 300 }, (_, i) => ({
  id: i,
  level: ['info', 'info', 'warn', 'error'][i % 4],
  message: i % 3 === 0 ? ATTACK : `GET /${i}`,
}))

let browser: Browser
let scene: Scene
beforeAll(async () => {
  if (!browserIsInstalled) return
  browser = await launchBrowser()
  scene = await startScene(browser)
})
afterAll(async () => {
  await browser?.close()
  await scene?.close()
})

/** A task that reports once, and then holds until it is cancelled. */
function holding(name: string) {
  const options = { name, memoize: false, asyncTimeout: 0, replace: true } as const
  return scene.cache.cached(options, async (_: object, task) => {
    await wait(400)
    task.progress(5, 100, 'page 5 of 100')
    await new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason)))
  })
}

function namesOfTheirOwn<Name extends string>(...names: Name[]): Record<Name, string> {
  const mark = Math.random().toString(36).slice(2, 8)
  return Object.fromEntries(names.map(name => [name, `${name} ${mark}`])) as Record<Name, string>
}

const wait = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))
const row = (page: Page, text: string) => page.locator('.entry.is-row').filter({ hasText: text })
const running = (page: Page, name: string) => page.locator('.task').filter({ hasText: name })
const opened = (page: Page) => page.locator('section.opened')

describe.runIf(browserIsInstalled)('the live page', () => {
  it('shows what is stored within a second', async () => {
    const page = await scene.open()
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const label = `stored ${i}`
      await scene.cache.set(label, RECORDS, { toolName: label })
      const began = performance.now()
      await row(page, label).waitFor()
      times.push(Math.round(performance.now() - began))
    }
    console.log(`live page: a new entry shows after ${times.join(', ')} ms`)
    // On a machine that many share, one of them may wait for its turn.
    expect(Math.min(...times)).toBeLessThan(1_000)
    await row(page, 'list of 300 records').first().waitFor()
    await page.context().close()
  })

  it('moves a bar between two reports, and cancels what runs', async () => {
    const page = await scene.open()
    const { refId } = await holding('crawl')({})
    const bar = running(page, 'crawl').getByRole('progressbar')
    const percent = async () => Number(await bar.getAttribute('aria-valuenow'))
    await expect.poll(percent).toBeGreaterThanOrEqual(5)
    // It has said 5 % alone: silent, it gets no further than twice as far.
    await expect.poll(percent).toBe(10)
    await running(page, 'crawl').getByRole('button', { name: 'Cancel crawl' }).click()
    await expect.poll(async () => (await scene.cache.taskStatus(refId)).status).toBe('cancelled')
    await expect.poll(() => page.getByRole('status').allTextContents().then(String)).toMatch(/cancel/i)
    await row(page, 'crawl').waitFor()
    await expect.poll(() => running(page, 'crawl').count()).toBe(0)
    await page.context().close()
  })

  it('answers a question with rows, by keyboard, and says what it costs', async () => {
    const { refId } = await scene.cache.set('records', RECORDS)
    const page = await scene.open({ ref: refId })
    const box = page.getByRole('textbox', { name: /SELECT/ })
    await box.fill('select level, count(*) as n from items group by 1 order by 2 desc')
    await box.press('Control+Enter')
    const answer = page.getByRole('region', { name: 'Answer' })
    await expect
      .poll(() => answer.locator('tbody tr').allTextContents())
      .toEqual(['info150', 'warn75', 'error75'])
    expect(await page.locator('.cost').textContent()).toMatch(/3 rows · an agent pays \d+ tokens/)
    // The question is a user of the value; it ran when that was told, and has ended.
    const user = opened(page).locator('.graph a.node').first()
    await expect.poll(() => user.textContent()).toMatch(/complete.*query_cached_result/)
    // A click on a frequent value asks for its rows.
    await page.getByRole('button', { name: /^warn 25/ }).click()
    await expect.poll(() => box.inputValue()).toBe(`select * from "items" where "level" = 'warn' limit 20`)
    await expect.poll(() => answer.locator('tbody tr').count()).toBe(20)
    await box.fill('select nothing')
    await box.press('Control+Enter')
    await expect.poll(() => opened(page).getByRole('alert').textContent()).toMatch(/nothing/)
    await page.context().close()
  })

  it('shows markup in values, names and errors as text, and runs none of it', async () => {
    const { refId } = await scene.cache.set(ATTACK, RECORDS, { toolName: ATTACK })
    const fails = scene.cache.cached({ name: `bad ${ATTACK}`, maxRetries: 0, asyncTimeout: 0 }, async () => {
      throw new Error(ATTACK)
    })
    await fails({})
    const page = await scene.open({ ref: refId })
    await opened(page).getByRole('region', { name: 'Value' }).getByText(ATTACK).first().waitFor()
    await opened(page).getByRole('button', { name: ATTACK }).waitFor()
    await page.getByText('Search', { exact: true }).click()
    await page.getByRole('searchbox', { name: /look for/ }).fill('onerror')
    await page.getByRole('searchbox', { name: /look for/ }).press('Enter')
    await page.getByRole('region', { name: 'Answer' }).getByText('onerror').first().waitFor()
    await row(page, `bad ${ATTACK}`).click()
    await opened(page).locator('.failure pre', { hasText: ATTACK }).waitFor()
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.title()).not.toContain('ran')
    await page.context().close()
  })

  it('answers what a task asks', async () => {
    const asks = scene.cache.cached(
      { name: 'review', memoize: false, asyncTimeout: 0 },
      async (_: object, task) =>
        task.elicit({
          message: 'Merge?',
          requestedSchema: {
            type: 'object',
            properties: { decision: { type: 'string', enum: ['merge', 'wait'] } },
            required: ['decision'],
          },
        }),
    )
    const { refId } = await asks({}, { interactive: true })
    const page = await scene.open()
    await running(page, 'review').getByRole('link', { name: '1 question to answer' }).click()
    await page.getByLabel('decision').selectOption('wait')
    await page.getByRole('button', { name: 'Answer' }).click()
    await expect.poll(async () => (await scene.cache.get(refId)).status, { timeout: 20_000 }).toBe('complete')
    expect(await scene.cache.resolve(refId)).toEqual({ action: 'accept', content: { decision: 'wait' } })
    await page.context().close()
  })

  it('deletes when it has asked, and says when something failed', async () => {
    await scene.cache.set('doomed', RECORDS, { toolName: 'doomed' })
    const page = await scene.open()
    await row(page, 'doomed').click()
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.keyboard.press('Escape')
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await row(page, 'doomed').count()).toBe(1)
    await page.route('**/api/delete', route =>
      route.fulfill({ status: 409, json: { code: 'store_unavailable', message: 'The store is away.' } }),
    )
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('alert').getByText('doomed: The store is away.').waitFor()
    await page.unroute('**/api/delete')
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await expect.poll(() => row(page, 'doomed').count()).toBe(0)
    await page.getByRole('heading', { name: 'Over time' }).waitFor()
    await page.context().close()
  })

  it('is walked through by keyboard alone', async () => {
    const page = await scene.open()
    const list = page.locator('[role=listbox]:focus')
    const isFocused = async () => (await list.count()) === 1
    for (let i = 0; i < 40 && !(await isFocused()); i++) await page.keyboard.press('Tab')
    expect(await isFocused()).toBe(true)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    const isOpened = (place: number) => page.locator('.entry.is-row').nth(place).getAttribute('aria-selected')
    await expect.poll(() => isOpened(1)).toBe('true')
    await page.keyboard.press('ArrowUp')
    await expect.poll(() => isOpened(0)).toBe('true')
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Over time' }).waitFor()
    expect(await isFocused()).toBe(true)
    await page.context().close()
  })

  it('lives through a restart of its server, and has what was stored meanwhile', async () => {
    // A second try finds none of the first.
    const { kept, meanwhile, afterwards, unseen } = namesOfTheirOwn(
      'kept',
      'meanwhile',
      'afterwards',
      'unseen',
    )
    const { refId } = await scene.cache.set(kept, RECORDS, { toolName: kept })
    const page = await scene.open({ ref: refId })
    await opened(page).getByText('300 rows').waitFor()
    await scene.killServer()
    await page.getByText('server is away', { exact: true }).waitFor()
    expect(await opened(page).getByText('300 rows').count()).toBe(1)
    await scene.cache.set(meanwhile, RECORDS, { toolName: meanwhile })
    await scene.startServer()
    await page.getByText('live', { exact: true }).waitFor()
    await row(page, meanwhile).waitFor()
    await scene.cache.set(afterwards, RECORDS, { toolName: afterwards })
    await row(page, afterwards).waitFor()
    expect(await opened(page).getByText('300 rows').count()).toBe(1)
    // What was opened while nobody answered is there when somebody does.
    const late = await scene.cache.set(unseen, RECORDS, { toolName: unseen })
    await row(page, unseen).waitFor()
    await scene.killServer()
    await page.getByText('server is away', { exact: true }).waitFor()
    await page.evaluate(`location.hash = '${late.refId}'`)
    await opened(page).getByRole('alert').waitFor()
    await scene.startServer()
    await opened(page).getByText('300 rows').waitFor()
    await opened(page).getByRole('region', { name: 'Value' }).waitFor()
    expect(await opened(page).getByRole('alert').count()).toBe(0)
    await page.context().close()
  })

  it('shows two people behind one `uiHandler` what each of them made, and nothing of the other', async () => {
    const cache = new RefCache({ name: 'team' })
    const people = { ada: actor.user('ada'), grace: actor.user('grace') }
    const { ada, grace } = people
    const own = (who: Actor, owner: string) => ({ actor: who, policy: { user: Permission.NONE, owner } })
    const plans = await cache.set('plans', RECORDS, { toolName: 'plans', ...own(ada, 'user:ada') })
    await cache.set('bills', RECORDS, { toolName: 'bills', ...own(grace, 'user:grace') })
    const handler = uiHandler(cache, {
      actor: ({ headers }) => people[/user=(\w+)/.exec(headers.get('cookie') ?? '')?.[1] as 'ada' | 'grace'],
    })
    const handle = toNodeHandler({ fetch: handler }) as RequestListener
    const server = createServer(handle).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const link = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cache/`
    const [hers, others] = (await Promise.all(
      ['ada', 'grace'].map(user => scene.openAt(link, { user, ref: plans.refId })),
    )) as [Page, Page]
    await opened(hers).getByText('300 rows').waitFor()
    await opened(others).getByRole('alert').waitFor()
    await row(others, 'bills').waitFor()
    expect(await row(hers, 'bills').count()).toBe(0)
    expect(await row(others, 'plans').count()).toBe(0)
    expect(await others.locator('.number-value').nth(1).textContent()).toBe('1')
    // Nor is there any trace of it when something moves.
    await cache.set('more', RECORDS, { toolName: 'more plans', ...own(ada, 'user:ada') })
    await row(hers, 'more plans').waitFor()
    await cache.set('more', RECORDS, { toolName: 'more bills', ...own(grace, 'user:grace') })
    await row(others, 'more bills').waitFor()
    expect(await others.locator('body').textContent()).not.toContain('plans')
    expect((await fetch(`${link}api/overview`)).status).toBe(401)
    await Promise.all([hers.context().close(), others.context().close()])
    handler.close()
    server.close()
    server.closeAllConnections()
    await cache.close()
  })

  it('shows what a wrapped server does, by the link that the wrapper wrote down', async () => {
    const wrapper = new StdioClientTransport({
      command: process.execPath,
      args: [MAIN, 'wrap', '--store', 'memory', '--ui', '0', '--', ...PLAIN],
      stderr: 'pipe',
    })
    let said = ''
    wrapper.stderr?.on('data', (text: Buffer) => {
      said += text
    })
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(wrapper)
    const link = await until(() => /http:\/\/\S+/.exec(said)?.[0], 'the link of the page')
    const page = await scene.openAt(link)
    await client.callTool({ name: 'tree', arguments: { size: 2_000 } })
    await row(page, 'tree').click()
    await opened(page).getByRole('region', { name: 'Value' }).waitFor()
    await page.context().close()
    await client.close()
  })

  it('asks no other server for anything, and complains of nothing', () => {
    expect(scene.strangers).toEqual([])
    expect(scene.complaints).toEqual([])
  })
})
