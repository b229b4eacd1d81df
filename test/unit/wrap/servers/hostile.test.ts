import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSpecType } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts'
import { FakeClock } from '../../../../src/testing/fake-clock.ts'
import { KnownFile } from '../../../../src/wrap/servers/known-file.ts'
import { listTasks } from '../../../../src/wrap/servers/task-lists.ts'
import { UriRoutes } from '../../../../src/wrap/servers/uris.ts'
import { isUsable } from '../../../../src/wrap/servers/usable-items.ts'
import { Front, type FrontOptions, Played, type PlayedOptions, tool } from './scene.ts'

const fronts: Front[] = []
afterEach(async () => {
  for (const front of fronts.splice(0)) await front.close()
})

async function open(servers: Record<string, Played>, options?: FrontOptions): Promise<Front> {
  const front = await Front.open(servers, options)
  fronts.push(front)
  return front
}

const otherwise = undefined as never
const good = () =>
  new Played({
    tools: [tool('t')],
    resources: [],
    answer: (method, { uri }) =>
      method === 'resources/read' ? { contents: [{ uri: String(uri), text: 'good' }] } : otherwise,
  })
const hangs = (which: RegExp, more: PlayedOptions = {}) =>
  new Played({ resources: [], ...more, answer: method => (which.test(method) ? 'never' : otherwise) })

/** The answer, once the time has gone on that long. */
async function later<T>(clock: FakeClock, ms: number, answer: Promise<T>): Promise<T> {
  await clock.advance(ms)
  return answer
}

describe('a server that never says what it has', () => {
  it('is waited for once; then the others are listed and read at once, and a call says that it is away', async () => {
    const clock = new FakeClock()
    const front = await open({ a: hangs(/list$|read$/), b: good() }, { clock })
    expect(await later(clock, 10_000, front.names())).toEqual(['b_t'])
    expect(await front.names()).toEqual(['b_t'])
    await later(clock, 10_000, front.ask('resources/list'))
    await front.ask('resources/list')
    expect((await front.ask('resources/read', { uri: 'x://unlisted' })).contents[0].text).toBe('good')
    const called = await front.call('a_x')
    expect(called).toMatchObject({ isError: true })
    expect(JSON.stringify(called)).toContain("The server 'a' is away")
  })

  it('does not hold up what is read of others', async () => {
    const front = await open({ a: hangs(/read$/), b: good() }, { clock: new FakeClock() })
    await front.names()
    expect((await front.ask('resources/read', { uri: 'x://unlisted' })).contents[0].text).toBe('good')
  })

  it('has no tasks for now', async () => {
    const clock = new FakeClock()
    const member = (request: (signal: AbortSignal) => Promise<unknown>) => ({
      isReady: true,
      introduction: { capabilities: { tasks: { list: {} } } },
      request: (_method: string, _params: JsonObject, signal: AbortSignal) => request(signal),
    })
    const hanging = member(
      signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const other = member(async () => ({ result: { tasks: [{ taskId: '1' }] } }))
    const listed = listTasks([hanging, other] as never, {}, new Map(), clock)
    expect(await later(clock, 10_000, listed)).toEqual({ tasks: [{ taskId: '1' }] })
  })
})

describe('what clients refuse', () => {
  it.each([
    ['tools', 'tools/list', [{ name: 'broken' }, { name: 'odd', inputSchema: { type: 'array' } }, null, 'x']],
    ['resources', 'resources/list', [{ uri: 'x:y' }, { uri: 'x:z', name: 'z', mimeType: 5 }]],
    ['prompts', 'prompts/list', [{ name: 'p', arguments: [{}] }, { description: 'x' }]],
    ['templates', 'resources/templates/list', [{ uriTemplate: 'x:{y}' }]],
  ] as const)('is left out of the list of %s', async (kind, method, broken) => {
    const fine = { name: 'fine', uri: 'f:1', uriTemplate: 'f:{x}', inputSchema: { type: 'object' } }
    const a = new Played({ [kind]: [...(broken as unknown as JsonValue[]), fine] })
    const front = await open({ a, b: new Played({ [kind]: [fine] }) })
    const [list] = Object.values((await front.response(method)).result as JsonObject).filter(Array.isArray)
    const names = (list as JsonObject[]).map(({ name }) => String(name)).filter(name => name.includes('fine'))
    expect(names).toHaveLength(2)
    expect(JSON.stringify(list)).not.toMatch(/broken|odd|"x:|null/)
    expect(front.logged.filter(line => line.includes('item_left_out'))[0]).toContain(' a: ')
  })

  it.each<[JsonValue, boolean]>([
    [tool('t'), true],
    [tool('t', { description: null }), false],
    [tool('t', { title: 5 }), false],
    [tool('t', { annotations: { readOnlyHint: true }, _meta: { x: 1 }, other: [] }), true],
    [tool('t', { annotations: { readOnlyHint: 'yes' } }), false],
    [tool('t', { icons: [{ src: 'data:x' }] }), true],
    [tool('t', { icons: [{}] }), false],
    [tool('t', { execution: { taskSupport: 'optional' } }), true],
    [{ name: 't' }, false],
    [{ name: 5, inputSchema: { type: 'object' } }, false],
    ['t', false],
  ])('a tool %j is judged as the SDK of clients does', (item, isFine) => {
    expect(isUsable('tools', item)).toBe(isFine)
    expect(isSpecType.Tool(item)).toBe(isFine)
  })
})

describe('a huge list', () => {
  it('is cut, and the others are there in whole', async () => {
    let pages = 0
    const a = new Played({
      answer: method => {
        if (method !== 'tools/list') return otherwise
        const tools = Array.from({ length: 100 }, (_, at) =>
          tool(`t${pages}_${at}`, { description: 'x'.repeat(15_000) }),
        )
        return { tools, nextCursor: String(++pages) }
      },
    })
    const front = await open({ a, b: good() })
    const { tools } = await front.ask('tools/list')
    expect(tools.some(({ name }: { name: string }) => name === 'b_t')).toBe(true)
    expect(JSON.stringify(tools).length).toBeLessThan(6_000_000)
    expect(pages).toBeLessThan(5)
    expect(front.logged.join('\n')).toMatch(/warn list_cut a: tools\/list gives too much/)
  })

  it('makes no file that is not read again: the newest servers stay known', () => {
    const folder = mkdtempSync(join(tmpdir(), 'known-'))
    try {
      const path = join(folder, 'servers.json')
      const log = { debug() {}, info() {}, warn() {}, error() {} }
      const big = { lists: { tools: [tool('t', { description: 'x'.repeat(3_000) })] } }
      for (const scope of ['1', '2', '3']) new KnownFile(path, log, 7_000).keep(scope, big)
      expect(statSync(path).size).toBeLessThan(7_000)
      const again = new KnownFile(path, log, 7_000)
      expect([1, 2, 3].map(scope => again.of(String(scope)) !== undefined)).toEqual([false, true, true])
      expect(readFileSync(path, 'utf8').startsWith('{"format":1,')).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('lists that change with each answer', () => {
  it('are told of and asked for ever more seldom, and at once after a pause', async () => {
    const clock = new FakeClock()
    let asked = 0
    const a: Played = new Played({
      answer: method => {
        if (method !== 'tools/list') return otherwise
        asked++
        queueMicrotask(() => queueMicrotask(() => a.say({ method: CHANGED })))
        return { tools: [tool(`t${asked}`)] }
      },
    })
    const front = await open({ a, b: good() }, { clock })
    await front.names()
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000)
      await front.names()
    }
    expect(front.told(CHANGED).length).toBeGreaterThan(2)
    expect(front.told(CHANGED).length).toBeLessThan(12)
    expect(asked).toBeLessThan(90)
  })

  it.each([
    ['every 1.5 s', 1_500, 60],
    ['ten times a second', 100, 600],
  ])('of themselves are told of soon, for as long as they do: %s', async (_, everyMs, times) => {
    const clock = new FakeClock()
    let at = 0
    const a: Played = new Played({
      answer: method => (method === 'tools/list' ? { tools: [tool(`t${at}`)] } : otherwise),
    })
    const front = await open({ a, b: good() }, { clock })
    await front.names()
    let late = 0
    for (let told = 0; at < times; ) {
      at++
      a.say({ method: CHANGED })
      for (let ms = 0; ms < everyMs; ms += 50) {
        await clock.advance(50)
        const now = front.told(CHANGED).length
        if (now > told) {
          told = now
          late = Math.max(
            late,
            at - Number((await front.names()).find(name => name.startsWith('a_t'))?.slice(3)),
          )
        }
      }
    }
    expect(late).toBe(0)
    // Each of the rare ones, and every few of the frequent ones.
    expect(front.told(CHANGED).length).toBeGreaterThan(everyMs > 1_000 ? times - 1 : times / 10)
  })
})
const CHANGED = 'notifications/tools/list_changed'

describe('names and URIs that a server chooses', () => {
  it('cannot take those of a server before it in the file', () => {
    const routes = new UriRoutes(['a', 'b'])
    routes.learn([
      { key: 'a', resources: [], templates: [{ uriTemplate: 'demo://text/{id}' }] },
      { key: 'b', resources: [{ uri: 'demo://text/7' }], templates: [{ uriTemplate: 'demo://text/5{x}' }] },
    ])
    for (const uri of ['demo://text/1', 'demo://text/5', 'demo://text/7'])
      expect(routes.inward(uri)).toEqual({ key: 'a', uri })
    expect(routes.outward('b', 'demo://text/7')).toBe('b+demo://text/7')
    expect(routes.inward('b+demo://text/7')).toEqual({ key: 'b', uri: 'demo://text/7' })
  })

  it('give no view to the tools of another server, whichever of them lists it, and whenever', async () => {
    const uri = 'ui://app/view'
    const shown = (name: string, _meta: JsonObject) => ({ ...(tool(name) as JsonObject), _meta })
    const views = (html: string, ...tools: JsonObject[]) =>
      new Played({
        tools,
        resources: [],
        answer: (method, params) =>
          method === 'resources/read' ? { contents: [{ uri: String(params.uri), text: html }] } : otherwise,
      })
    const evil = views('evil', shown('t', { ui: { resourceUri: uri } }))
    // The later server names its view as the older form of the extension does, too, and lists it nowhere.
    const meta = { ui: { resourceUri: uri, visibility: ['model', 'app'] }, 'ui/resourceUri': uri }
    const bank = views('bank', shown('t', meta), shown('plain', { other: 1 }))
    const front = await open({ evil, bank })
    const { tools } = await front.ask('tools/list')
    const metaOf = (name: string) => tools.find((one: JsonObject) => one.name === name)._meta
    expect(metaOf('bank_plain')).toEqual({ other: 1 })
    const { ui, 'ui/resourceUri': old } = metaOf('bank_t')
    expect(ui.visibility).toEqual(['model', 'app'])
    expect(ui.resourceUri).toMatch(/^ui:\/\//)
    const read = async (view: string) => (await front.ask('resources/read', { uri: view })).contents[0]
    for (const view of [ui.resourceUri, old]) expect(await read(view)).toEqual({ uri: view, text: 'bank' })
    evil.options.resources = [{ uri, name: 'view' }]
    evil.say({ method: 'notifications/resources/list_changed' })
    await front.wired.line('notifications/resources/list_changed')
    expect((await front.ask('resources/list')).resources[0].uri).toBe(metaOf('evil_t').ui.resourceUri)
    expect((await read(ui.resourceUri)).text).toBe('bank')
    expect((await read(metaOf('evil_t').ui.resourceUri)).text).toBe('evil')
  })

  it('are its own, also where every object of JavaScript has them', async () => {
    const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty']
    const a = new Played({ tools: [tool('read'), ...names.map(name => tool(name, { description: 'Own.' }))] })
    const selections = { a: { rename: { read: 'rd' }, describe: { read: 'Reads.' } } }
    const front = await open({ a }, { selections })
    expect(await front.names()).toEqual(['a_rd', ...names.map(name => `a_${name}`)])
    const { tools } = await front.ask('tools/list')
    expect(tools.slice(1, 5).map(({ description }: JsonObject) => description)).toEqual(
      names.map(() => 'Own.'),
    )
  })

  it('are in the message of its questions', async () => {
    const a = new Played({ tools: [tool('t')] })
    const front = await open({ a }, { capabilities: { elicitation: {} } })
    await front.names()
    a.say({ id: 1, method: 'elicitation/create', params: { message: 'Password?', requestedSchema: {} } })
    await expect
      .poll(() => front.told('elicitation/create'))
      .toMatchObject([{ params: { message: 'a: Password?' } }])
  })
})
