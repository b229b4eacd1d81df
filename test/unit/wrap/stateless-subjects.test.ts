import { describe, expect } from 'vitest'
import type { Tokens } from '../../../src/wrap/callers.ts'
import { requirementsOf } from './stateless-requirements.ts'
import {
  ask,
  bodyOf,
  call,
  eventually,
  type Message,
  openWrapper,
  post,
  type SceneOptions,
  serverOf2025,
  serverOf2026,
} from './stateless-scene.ts'

const text = (said: string) => ({ content: [{ type: 'text', text: said }] })
const PURE = { name: 'pure', inputSchema: {}, annotations: { readOnlyHint: true, idempotentHint: true } }

const tokens: Tokens = { subjectOf: token => ({ a: 'alice', a2: 'alice', b: 'bob' })[token] }
const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

const open = (play: Parameters<typeof openWrapper>[0], options: SceneOptions = {}) =>
  openWrapper(play, { ...options, listen: { tokens, ...options.listen } })

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
}

/** A request of 2025-11-25, in a session or to begin one. */
function send(url: string, token: string, body: object, session?: string): Promise<Response> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...as(token).headers,
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function begin(url: string, token: string): Promise<string> {
  const response = await send(url, token, INITIALIZE)
  await response.text()
  return response.headers.get('mcp-session-id') ?? ''
}

const requires = requirementsOf('stateless-subjects')

describe('with tokens', () => {
  requires('challenge', async () => {
    const { url, servers } = await open(serverOf2026(() => text('hi')))
    for (const headers of [{}, { authorization: 'Bearer c' }, { authorization: 'Basic YTpi' }]) {
      for (const response of [
        await post(url, 'tools/list', {}, { headers }),
        await fetch(url, { headers }),
      ]) {
        expect(response.status).toBe(401)
        const challenge = response.headers.get('www-authenticate')
        expect(challenge).toBe(
          'authorization' in headers
            ? 'Bearer realm="mcp-refcache", error="invalid_token"'
            : 'Bearer realm="mcp-refcache"',
        )
        expect(((await response.json()) as Message).error.message).toContain('Authorization: Bearer')
      }
    }
    expect(servers).toHaveLength(0)
    expect((await call(url, 'greet', {}, as('a'))).result).toMatchObject(text('hi'))
  })

  requires('own-results', async () => {
    let runs = 0
    const settings = { defaults: {}, tools: { pure: { memoize: true } } }
    const { url, servers } = await open(
      serverOf2026(() => text(`run ${++runs}`), [PURE]),
      { wrap: { settings } },
    )
    const results = []
    for (const token of ['a', 'b', 'a2', 'b']) results.push((await call(url, 'pure', {}, as(token))).result)
    expect(results.map(({ content }) => content[0].text)).toEqual(['run 1', 'run 2', 'run 1', 'run 2'])
    const refId = results[0]._meta['mcp-refcache/ref_id']
    const own = await call(url, 'get_cached_result', { ref_id: refId }, as('a2'))
    expect(own.result.content).toEqual(text('run 1').content)
    const stolen = await call(url, 'get_cached_result', { ref_id: refId }, as('b'))
    const unknown = await call(url, 'get_cached_result', { ref_id: `wired:${'0'.repeat(32)}` }, as('b'))
    expect(stolen).toEqual(unknown)
    expect(bodyOf(stolen).error.code).toBe('not_found')
    expect(servers).toHaveLength(1)
  })

  requires('own-server', async () => {
    let started = 0
    const play = () => {
      const own = ++started
      return serverOf2025(() => text(`server ${own}`))
    }
    const plays = new Map<object, ReturnType<typeof play>>()
    const { url, servers } = await open((message, say, line) => {
      const server = servers.at(-1) as object
      const known = [...plays].find(([heard]) => (heard as Message[]).includes(message))
      const own = known?.[1] ?? plays.get(server) ?? play()
      if (!known) plays.set(servers.find(heard => heard.includes(message)) as object, own)
      own(message, say, line)
    })
    const said = async (token: string) => (await call(url, 'who', {}, as(token))).result.content[0].text
    expect([await said('a'), await said('b'), await said('a2')]).toEqual(['server 1', 'server 2', 'server 1'])
    expect(servers).toHaveLength(2)
  })

  requires('own-sessions', async () => {
    const { url } = await open(serverOf2025(() => text('hi')))
    const session = await begin(url, 'a')
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    expect((await send(url, 'a', list, session)).status).toBe(200)
    expect((await send(url, 'a2', list, session)).status).toBe(200)
    const [stolen, missing] = [await send(url, 'b', list, session), await send(url, 'b', list, 'no-session')]
    expect(stolen.status).toBe(404)
    expect([stolen.status, await stolen.text()]).toEqual([missing.status, await missing.text()])
    const ended = await fetch(url, {
      method: 'DELETE',
      headers: { ...as('b').headers, 'mcp-session-id': session },
    })
    expect(ended.status).toBe(404)
    expect((await send(url, 'a', list, session)).status).toBe(200)
  })

  requires('one-subject', async () => {
    const settings = { defaults: { asyncTimeout: 0 as const }, tools: {} }
    const { url } = await open(
      serverOf2025(() => text('hi')),
      { wrap: { settings } },
    )
    const session = await begin(url, 'a')
    const asked = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'greet', arguments: {} } }
    const refId = /"ref_id":"([^"]+)"/.exec(
      (await (await send(url, 'a', asked, session)).text()).replaceAll('\\', ''),
    )
    const polled = await call(url, 'get_cached_result', { ref_id: refId?.[1] }, as('a'))
    expect(polled.result.content).toEqual(text('hi').content)
  })

  requires('quota-sessions', async () => {
    const { url } = await open(
      serverOf2025(() => text('hi')),
      { listen: { sessionsOfOne: 2 } },
    )
    const bobs = await begin(url, 'b')
    const [first, ...others] = [await begin(url, 'a'), await begin(url, 'a'), await begin(url, 'a')]
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    expect((await send(url, 'a', list, first)).status).toBe(404)
    for (const session of others) expect((await send(url, 'a', list, session)).status).toBe(200)
    expect((await send(url, 'b', list, bobs)).status).toBe(200)
  })

  requires('quota-calls', async () => {
    const waiting: Array<() => void> = []
    const play = serverOf2026(({ id }, say) => {
      waiting.push(() => say({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...text('done') } }))
      return undefined
    })
    const settings = { defaults: { asyncTimeout: 0 as const }, tools: {} }
    const { url } = await open(play, { wrap: { settings, quota: { sessions: 8, calls: 2, bytes: 1e9 } } })
    const handles = [await call(url, 'slow', {}, as('a')), await call(url, 'slow', {}, as('a'))]
    for (const handle of handles) expect(bodyOf(handle).ref_id).toBeDefined()
    const refused = await call(url, 'slow', {}, as('a'))
    expect(bodyOf(refused).error).toMatchObject({
      code: 'queue_full',
      message: expect.stringContaining('2 calls'),
    })
    const { ref_id } = bodyOf(handles[0] as Message)
    // Questions, copies and retries run or store something: they count, too. A poll does not.
    for (const [name, args] of [
      ['query_cached_result', { search: 'x' }],
      ['edit_cached_result', { edits: [{ find: 'a', replace: 'b' }] }],
      ['retry_task', {}],
    ] as const) {
      const answer = await call(url, name, { ref_id, ...args }, as('a'))
      expect(bodyOf(answer).error, name).toMatchObject({ code: 'queue_full' })
    }
    const poll = await call(url, 'get_cached_result', { ref_id, wait_seconds: 0 }, as('a'))
    expect(bodyOf(poll).status).toBe('processing')
    expect(bodyOf(await call(url, 'slow', {}, as('b'))).ref_id).toBeDefined()
    await eventually(() => expect(waiting.length).toBe(3))
    for (const end of waiting) end()
    await call(url, 'get_cached_result', { ref_id: bodyOf(handles[0] as Message).ref_id }, as('a'))
    await eventually(async () => expect(bodyOf(await call(url, 'slow', {}, as('a'))).ref_id).toBeDefined())
  })

  requires('quota-bytes', async () => {
    const large = text('x'.repeat(10_000))
    const settings = { defaults: {}, tools: { '*': { memoize: true } } }
    const quota = { sessions: 8, calls: 100, bytes: 15_000 }
    const { url } = await open(
      serverOf2026(() => large),
      { wrap: { settings, quota } },
    )
    const first = await call(url, 'one', {}, as('a'))
    await call(url, 'two', {}, as('a'))
    const refused = await eventually(async () => {
      const third = await call(url, 'three', { _fresh: true }, as('a'))
      expect(third.result.isError).toBe(true)
      return third
    })
    expect(bodyOf(refused).error).toMatchObject({
      code: 'store_full',
      message: expect.stringContaining('15000'),
    })
    const refId = first.result._meta?.['mcp-refcache/ref_id'] ?? bodyOf(first).ref_id
    expect((await call(url, 'get_cached_result', { ref_id: refId }, as('a'))).result.isError).toBeUndefined()
    expect((await call(url, 'one', {}, as('b'))).result.isError).toBeUndefined()
    expect((await ask(url, 'tools/list', {}, as('a'))).result.tools).toBeDefined()
  })
})
