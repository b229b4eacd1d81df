import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { EitherRevision } from '../../../src/wrap/channels/either-revision.ts'
import { countingStore } from '../../counting-store.ts'
import { turn } from './chatty.ts'
import { idIn, type Serve, serverChannel, Wired, type WiredOptions } from './wired.ts'

const PREFIX = 'io.modelcontextprotocol/'
const READ = '{"name":"read","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}'
const RESULT = '{ "content": [ {"text":"0.50","type":"text"} ], "structuredContent":{"n":0.50} }'
const TYPED = RESULT.replace('{ ', '{"resultType":"complete", ')

/** What a server of either revision answers with, beside calls of tools. */
const OLD: Readonly<Record<string, string>> = {
  initialize:
    '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}',
  'tools/list': `{"tools":[${READ}]}`,
}
const NEW: Readonly<Record<string, string>> = {
  'server/discover':
    '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"}',
  'tools/list': `{"resultType":"complete","tools":[${READ}],"ttlMs":0,"cacheScope":"private"}`,
}

let wired: Wired
afterEach(() => wired.close())

interface SceneOptions extends Pick<WiredOptions, 'limits'> {
  client?: string
  capabilities?: JsonObject
  /** Whether it asks what there is before it calls. */
  begins?: boolean
}

/** A client of 2026-07-28, in front of a server that answers calls when the test says so. */
async function scene(
  server: typeof OLD,
  { client = 'c', capabilities = {}, limits, begins = true }: SceneOptions = {},
) {
  const clock = new FakeClock()
  const { store, during } = countingStore(memoryStore())
  const cache = new RefCache({ name: 'wired', store, clock })
  const calls: string[] = []
  const others: string[] = []
  const heard: string[] = []
  let say: (line: string) => void = () => {}
  const serve: Serve = (line, answer) => {
    say = answer
    const { method } = parseJson(line) as { method: string }
    heard.push(method)
    if (method === 'tools/call') calls.push(line)
    else if (!line.includes('"id":')) others.push(line)
    else if (server[method]) answer(`{"jsonrpc":"2.0","id":${idIn(line)},"result":${server[method]}}`)
    else answer(`{"jsonrpc":"2.0","id":${idIn(line)},"error":{"code":-32601,"message":"Method not found"}}`)
  }
  const channel = async () => new EitherRevision(async () => serverChannel(serve), { isNeeded: false })
  wired = await Wired.open(serve, { cache, channel, ...(limits ? { limits } : {}) })
  const meta = {
    [`${PREFIX}protocolVersion`]: '2026-07-28',
    [`${PREFIX}clientInfo`]: { name: client, version: '1' },
    [`${PREFIX}clientCapabilities`]: capabilities,
  }
  const ask = (id: string | number, method: string, params: object = {}) =>
    wired.ask(id, method, JSON.stringify({ ...params, _meta: meta }))
  if (begins) await ask('d', 'server/discover')
  if (begins) await ask('l', 'tools/list')
  // The first call finds out what time it is in the store.
  await cache.set('first', 1)
  /** Calls the tool. The server replies to its latest call when the test says so. */
  const call = async (id: number) => {
    const before = calls.length
    const answer = ask(id, 'tools/call', { name: 'read', arguments: {} })
    while (calls.length === before) await turn()
    const reply = (body: string) => say(`{"jsonrpc":"2.0","id":${idIn(calls.at(-1) ?? '')},${body}}`)
    return { answer, reply, replyWith: (result: string) => reply(`"result":${result}`) }
  }
  return { calls, others, heard, ask, call, during, clock, cache }
}

describe.each([
  ['2025-11-25', OLD],
  ['2026-07-28', NEW],
])('a quick call of 2026-07-28 in front of a server of %s', (_, server) => {
  it('passes with the bytes of its result and a type, and costs the store nothing', async () => {
    const { call, during } = await scene(server)
    const { operations } = await during(async () => {
      const { answer, replyWith } = await call(1)
      replyWith(RESULT)
      expect(await answer).toBe(`{"jsonrpc":"2.0","id":1,"result":${TYPED}}`)
    })
    expect(operations).toEqual([])
  })

  it('passes to the last byte where the result says its type', async () => {
    const { call } = await scene(server)
    const { answer, replyWith } = await call(1)
    replyWith(TYPED)
    expect(await answer).toBe(`{"jsonrpc":"2.0","id":1,"result":${TYPED}}`)
  })

  it('passes with a type where it does not show in the text where the result begins', async () => {
    const { call } = await scene(server)
    const { answer, reply } = await call(1)
    reply(`"_":{"result":{}},"result":${RESULT}`)
    expect(parseJson(await answer)).toMatchObject({ id: 1, result: parseJson(TYPED) as JsonObject })
  })

  it.each([
    ['tokens that the operator sets', { limits: { inlineLimit: 300 } }],
    ['characters of its profile', { client: 'copilot-cli' }],
  ])('is held to the %s', async (_, options) => {
    const { call } = await scene(server, options)
    const { answer, replyWith } = await call(1)
    const text = 'one more line of text to read\\n'.repeat(500)
    replyWith(`{"content":[{"type":"text","text":"${text}"}]}`)
    expect(await answer).toContain('ref_id')
  })

  it('is cancelled at the server, and nothing is answered', async () => {
    const { call, calls, others } = await scene(server)
    const { replyWith } = await call(1)
    wired.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}')
    while (!others.some(line => line.includes('notifications/cancelled'))) await turn()
    expect(others.at(-1)).toContain(`"requestId":${idIn(calls[0] ?? '')}`)
    replyWith(RESULT)
    const next = await call(2)
    next.replyWith(RESULT)
    await next.answer
    expect(wired.lines.some(line => line.includes('"id":1,'))).toBe(false)
  })

  it('that takes longer is answered once, by the flow', async () => {
    const { call, calls, clock } = await scene(server)
    const { answer, replyWith } = await call(1)
    await clock.advance('2s')
    replyWith(RESULT)
    const { result } = parseJson(await answer) as { result: JsonObject }
    expect(result).toMatchObject({ resultType: 'complete', content: [{ text: '0.50' }] })
    expect(calls).toHaveLength(1)
  })
})

describe('a quick call of 2026-07-28 that its server does not answer at once', () => {
  const QUESTION =
    '{"resultType":"input_required","requestState":"s","inputRequests":{"sure":{"method":"elicitation/create","params":{"message":"Sure?"}}}}'

  it('brings its client the questions', async () => {
    const { call, calls } = await scene(NEW, { capabilities: { elicitation: {} } })
    const { answer, replyWith } = await call(1)
    replyWith(QUESTION)
    expect(parseJson(await answer)).toMatchObject({
      result: { resultType: 'input_required', requestState: 's' },
    })
    expect(calls).toHaveLength(1)
  })

  it('is asked again where the server wants its client to follow tasks', async () => {
    const { call, calls } = await scene(NEW, { capabilities: { elicitation: {} } })
    const { answer, reply, replyWith } = await call(1)
    const data = '{"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}'
    reply(`"error":{"code":-32021,"message":"Missing","data":${data}}`)
    while (calls.length < 2) await turn()
    expect(calls[1]).toContain('"io.modelcontextprotocol/tasks":{}')
    replyWith(RESULT)
    expect(parseJson(await answer)).toMatchObject({ result: { content: [{ text: '0.50' }] } })
  })
})

describe('a client of 2026-07-28 that has asked another process how the server introduces itself', () => {
  it.each([
    ['2025-11-25', OLD, ['server/discover', 'initialize', 'notifications/initialized', 'tools/list']],
    ['2026-07-28', NEW, ['server/discover', 'tools/list']],
  ])('is served all the same in front of a server of %s, and its calls pass', async (_, server, methods) => {
    const { ask, call, heard, during, cache } = await scene(server, { begins: false })
    const first = call(1)
    const { replyWith, answer } = await first
    replyWith(RESULT)
    expect(await answer).toContain('"resultType":"complete"')
    expect(heard.filter(method => method !== 'tools/call')).toEqual(methods)
    await cache.set('first', 1)
    const { operations } = await during(async () => {
      const next = await call(2)
      next.replyWith(RESULT)
      expect(await next.answer).toBe(`{"jsonrpc":"2.0","id":2,"result":${TYPED}}`)
    })
    expect(operations).toEqual([])
    expect(await ask(3, 'tools/list')).toContain('"name":"read"')
  })
})
