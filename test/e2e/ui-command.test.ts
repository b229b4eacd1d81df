import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RefCache } from '../../dist/index.js'
import { sqliteStore } from '../../dist/stores/sqlite.js'
import { program } from './fixtures/programs.ts'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const SECRET = 'hunter2'

type Parsed = ReturnType<typeof JSON.parse>

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ui-command-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

/** The command as a process of its own, with a cache folder of the test's. */
function started(place: string, ...args: string[]) {
  const env = { ...process.env, XDG_CACHE_HOME: place }
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  const hear = (text: Buffer) => {
    said += text
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  const code = new Promise<number | null>(resolve => child.once('close', resolve))
  const links = () => said.match(/http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/\?token=[\w-]+/g) ?? []
  const link = async (number = 0) => {
    await expect.poll(() => links().length).toBeGreaterThan(number)
    return links()[number] as string
  }
  return { child, code, link, said: () => said }
}

/** A browser that has come in by a link. */
async function enter(link: string) {
  const visit = await fetch(link, { redirect: 'manual' })
  expect([visit.status, visit.headers.get('location')]).toEqual([303, './'])
  const cookie = `${visit.headers.get('set-cookie')}`.split(';')[0] ?? ''
  return browserWith(cookie, new URL('.', link).href)
}

/** @param page where it lies */
function browserWith(cookie: string, page: string) {
  const { origin } = new URL(page)
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${page}${path}`, { ...init, headers: { cookie, ...init.headers } })
  const get = async (path: string): Promise<Parsed> => (await ask(`api/${path}`)).json()
  const post = async (route: string, body: object): Promise<Parsed> => {
    const headers = { 'content-type': 'application/json', origin }
    return (await ask(`api/${route}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()
  }
  return { cookie, page, origin, ask, get, post }
}

/** `fetch` lets nobody write the name that is asked for. */
function statusUnder(host: string, origin: string, cookie: string): Promise<number | undefined> {
  return new Promise((resolve, reject) =>
    httpRequest(`${origin}/api/overview`, { headers: { host, cookie } }, response => {
      response.resume()
      resolve(response.statusCode)
    })
      .once('error', reject)
      .end(),
  )
}

/** A server of somebody in this process, on a file, whose one task goes on until it is stopped. */
function server(path: string) {
  const cache = new RefCache({ name: 'files', store: sqliteStore(path), sweepInterval: '200ms' })
  onTestFinished(() => cache.close({ drain: 0 }))
  const crawl = cache.cached({ name: 'crawl', asyncTimeout: 0, memoize: false }, (_: object, task) => {
    task.progress(7, 50, SECRET)
    return new Promise((_resolve, reject) =>
      task.signal.addEventListener('abort', () => reject(task.signal.reason)),
    )
  })
  return { cache, crawl }
}

describe('ui', () => {
  it('shows a store of another process, asks it, steers it, and writes down what it did', async () => {
    const place = folder()
    const path = join(place, 'app.db')
    const { cache, crawl } = server(path)
    const records = Array.from({ length: 500 }, (_, id) => ({ id, level: id % 5 ? 'info' : 'warn' }))
    const { refId: value } = await cache.set('log', records)
    const { refId: task } = await crawl({})
    const audit = join(place, 'looked.jsonl')
    const ui = started(place, 'ui', '--store', path, '--audit', audit)
    const browser = await enter(await ui.link())

    const page = await browser.ask('')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    expect(await browser.get('overview')).toMatchObject({ sight: 'operator', running: 1, stored: 1 })
    expect((await browser.get('tasks')).tasks).toEqual([
      expect.objectContaining({
        ref: task,
        tool: 'crawl',
        progress: expect.objectContaining({ current: 7 }),
      }),
    ])
    const sql = 'select level, count(*) n from items group by 1 order by 2'
    const answer = await browser.post('query', { ref: value, sql })
    expect(answer.content).toEqual({
      kind: 'table',
      columns: ['level', 'n'],
      rows: [
        ['warn', 100],
        ['info', 400],
      ],
    })
    expect((await browser.get(`entry?ref=${value}`)).usedBy).toEqual([
      expect.objectContaining({ ref: answer.ref }),
    ])

    // What another process does is there within a second.
    const events = await browser.ask('api/events')
    const reader = events.body?.getReader()
    let heard = ''
    void (async () => {
      for (let read = await reader?.read(); read && !read.done; read = await reader?.read())
        heard += Buffer.from(read.value).toString()
    })()
    await expect.poll(() => heard).toContain('event: reset')
    const more = await cache.set('more', 1)
    await expect.poll(() => heard, { timeout: 2_000 }).toContain(more.refId)

    expect(await browser.post('cancel', { ref: task })).toMatchObject({
      message: 'Cancelled.',
      row: { status: 'cancelled' },
    })
    await expect.poll(() => heard).toMatch(/"status":"cancelled"/)
    expect(await browser.post('delete', { ref: value })).toMatchObject({
      message: expect.stringMatching(/^Deleted/),
    })
    expect(await cache.exists(value)).toBe(false)
    await reader?.cancel()

    ui.child.kill('SIGINT')
    expect(await ui.code).toBe(130)
    const lines = readFileSync(audit, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(({ action }) => action)).toEqual(expect.arrayContaining(['query', 'cancel', 'delete']))
    expect(statSync(audit).mode & 0o777).toBe(0o600)
  })

  it('lets in who has the link, once, from this machine’s own names, and by no other page', async () => {
    const place = folder()
    const path = join(place, 'app.db')
    const { cache } = server(path)
    const { refId: ref } = await cache.set('value', 1)
    const ui = started(place, 'ui', '--store', path)
    const link = await ui.link()
    const { origin } = new URL(link)
    expect((await fetch(`${origin}/`)).status).toBe(401)
    expect((await fetch(`${origin}/?token=nonsense`)).status).toBe(403)
    const { cookie, ask } = await enter(link)
    const again = await fetch(link, { redirect: 'manual' })
    expect([again.status, await again.text()]).toEqual([403, expect.stringMatching(/good for once/)])
    // The next one is printed.
    const second = await enter(await ui.link(1))
    expect((await second.ask('api/overview')).status).toBe(200)

    const { host } = new URL(origin)
    expect(await statusUnder(host, origin, cookie)).toBe(200)
    expect(await statusUnder(host.replace('127.0.0.1', 'localhost'), origin, cookie)).toBe(200)
    for (const name of ['evil.example', `evil.example:${host.split(':')[1]}`, '127.0.0.1:1', 'localhost']) {
      expect(await statusUnder(name, origin, cookie)).toBe(403)
    }
    const headers = { 'content-type': 'application/json', origin: 'http://evil.example' }
    const crossed = await ask('api/delete', { method: 'POST', headers, body: JSON.stringify({ ref }) })
    expect(crossed.status).toBe(403)
    expect(await cache.exists(ref)).toBe(true)
  })

  it('goes on for pages that are open when it is started again at its port, and needs a link elsewhere', async () => {
    const place = folder()
    const path = join(place, 'app.db')
    await server(path).cache.set('value', 1)
    // What a process has left that was killed while it wrote its key.
    mkdirSync(join(place, 'mcp-refcache'), { mode: 0o700 })
    writeFileSync(join(place, 'mcp-refcache/ui-key'), 'a1b2', { mode: 0o600 })
    const first = started(place, 'ui', '--store', path)
    const link = await first.link()
    const { cookie, page, origin } = await enter(link)
    const key = join(place, 'mcp-refcache/ui-key')
    expect(statSync(key).mode & 0o777).toBe(0o600)
    first.child.kill('SIGTERM')
    expect(await first.code).toBe(143)
    const { port } = new URL(origin)
    const second = started(place, 'ui', '--store', path, '--port', port)
    await second.link()
    expect(await browserWith(cookie, page).get('overview')).toMatchObject({ stored: 1 })
    // The link of the first start is no good any more.
    expect((await fetch(link)).status).toBe(403)
    const other = started(folder(), 'ui', '--store', path)
    const otherPage = new URL('.', await other.link()).href
    expect((await browserWith(cookie, otherPage).ask('api/overview')).status).toBe(401)
    const taken = started(place, 'ui', '--store', path, '--port', port)
    expect(await taken.code).toBe(4)
    expect(taken.said()).toMatch(/in use.*--port/)
  })

  it('makes no store where there is none, and says what is wrong with one that it cannot look at', async () => {
    const place = folder()
    const damaged = join(place, 'damaged.db')
    writeFileSync(damaged, 'This is no database. '.repeat(100))
    const unusable = started(place, 'ui', '--store', damaged)
    expect(await unusable.code).toBe(5)
    expect(unusable.said()).toMatch(/damaged\.db is damaged, or is no SQLite file/)
    expect(unusable.said()).not.toContain('http:')
    const none = started(place, 'ui', '--store', join(place, 'none.db'))
    expect(await none.code).toBe(5)
    expect(existsSync(join(place, 'none.db'))).toBe(false)
  })
})

describe('wrap --ui', () => {
  it('shows what its own process does, and serves also where the port is taken', async () => {
    const place = folder()
    const audit = join(place, 'audit.jsonl')
    const options = ['--store', 'memory', '--audit', audit]
    const wrapper = started(
      place,
      'wrap',
      '--ui',
      '0',
      ...options,
      '--',
      process.execPath,
      program('everything'),
    )
    const link = await wrapper.link()
    const send = (message: object) =>
      wrapper.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
    const clientInfo = { name: 'test', version: '1' }
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
    send({ id: 1, method: 'initialize', params })
    await expect.poll(() => wrapper.said()).toContain('"id":1')
    send({ method: 'notifications/initialized' })
    const text = 'x '.repeat(20_000)
    send({ id: 2, method: 'tools/call', params: { name: 'echo', arguments: { message: text } } })
    await expect.poll(() => wrapper.said()).toContain('"id":2')
    const browser = await enter(link)
    const { entries } = await browser.get('entries')
    expect(entries).toEqual([expect.objectContaining({ tool: 'echo', status: 'complete' })])
    await expect.poll(async () => (await browser.get('overview')).tokens?.keptOut).toBeGreaterThan(5_000)
    const shown = await browser.get(`value?ref=${entries[0].ref}&page=1`)
    expect(JSON.stringify(shown.content)).toContain('x x x')
    await expect.poll(() => readFileSync(audit, 'utf8')).toContain('"action":"get"')

    const { port } = new URL(link)
    const other = started(
      place,
      'wrap',
      '--ui',
      port,
      '--store',
      'memory',
      '--',
      process.execPath,
      program('everything'),
    )
    await expect.poll(() => other.said()).toMatch(/There is no live page.*in use/)
    other.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
    await expect.poll(() => other.said()).toContain('"id":1')
  })
})
