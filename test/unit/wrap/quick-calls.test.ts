import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { parseJson } from '../../../src/core/json-text.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import type { CallSettings } from '../../../src/wrap/settings.ts'
import { countingStore } from '../../counting-store.ts'
import { turn } from './chatty.ts'
import { idIn, Wired } from './wired.ts'

const READ = '{"name":"read","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}'
const WRITE = '{"name":"write","inputSchema":{"type":"object"}}'
const RESULT = '{ "content": [ {"text":"ok","type":"text"} ] }'

let wired: Wired
afterEach(() => wired.close())

interface SceneOptions extends Pick<RefCacheOptions, 'maxConcurrentTasks'> {
  settings?: CallSettings
  capabilities?: string
}

/** A session that has listed its tools and used its store, in front of a server that answers when the test says so. */
async function scene({ settings, capabilities = '{}', ...limits }: SceneOptions = {}) {
  const clock = new FakeClock()
  const { store, during } = countingStore(memoryStore())
  const cache = new RefCache({ name: 'wired', store, clock, ...limits })
  onTestFinished(() => cache.close())
  const calls: string[] = []
  const others: string[] = []
  let say: (line: string) => void = () => {}
  wired = await Wired.open(
    (line, answer) => {
      say = answer
      const result = line.includes('"method":"initialize"')
        ? '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}'
        : line.includes('"method":"tools/list"')
          ? `{"tools":[${READ},${WRITE}]}`
          : undefined
      if (result) answer(`{"jsonrpc":"2.0","id":${idIn(line)},"result":${result}}`)
      else if (line.includes('"method":"tools/call"')) calls.push(line)
      else others.push(line)
    },
    { cache, ...(settings ? { settings } : {}) },
  )
  await wired.ask('i', 'initialize', `{"protocolVersion":"2025-06-18","capabilities":${capabilities}}`)
  await wired.ask('l', 'tools/list')
  // The first call finds out what time it is in the store.
  await cache.set('first', 1)
  const call = async (id: number, tool = 'read', args = '{}') => {
    const before = calls.length
    const answer = wired.ask(id, 'tools/call', `{"name":"${tool}","arguments":${args}}`)
    for (let turns = 0; calls.length === before && turns < 50; turns++) await turn()
    return { answer, isAsked: calls.length > before }
  }
  const answerTo = (line: string | undefined, result = RESULT) =>
    say(`{"jsonrpc":"2.0","id":${idIn(line ?? '')},"result":${result}}`)
  return { clock, cache, calls, others, call, during, answerTo, say: (line: string) => say(line) }
}

describe('a quick call', () => {
  it('passes to the last byte, whatever stands in it, and costs the store nothing', async () => {
    const { call, calls, answerTo, during } = await scene()
    const { operations } = await during(async () => {
      const { answer } = await call(1)
      answerTo(calls[0])
      expect(await answer).toBe(`{"jsonrpc":"2.0","id":1,"result":${RESULT}}`)
    })
    expect(operations).toEqual([])
  })

  it.each([
    ['in its text', (id: string) => `{"content":[{"type":"text","text":${id}}]}`],
    ['in its metadata', (id: string) => `{"_meta":{"progressToken":${id}},"content":[]}`],
  ])('passes where the server repeats our id %s', async (_, resultOf) => {
    const { call, calls, answerTo } = await scene()
    const { answer } = await call(1)
    const id = idIn(calls[0] ?? '')
    answerTo(calls[0], resultOf(id))
    expect(parseJson(await answer)).toEqual({ jsonrpc: '2.0', id: 1, result: parseJson(resultOf(id)) })
  })

  it.each([
    ['an error of the tool', '{"isError":true,"content":[{"type":"text","text":"no"}]}', 'no'],
    ['a result without content', '{"toolResult":5}', '"toolResult":5'],
    [
      'a result that does not fit',
      `{"content":[{"type":"text","text":"${'word '.repeat(9_999)}"}]}`,
      'ref_id',
    ],
  ])('with %s is answered by the flow', async (_, result, shown) => {
    const { call, calls, answerTo } = await scene()
    const { answer } = await call(1)
    answerTo(calls[0], result)
    expect(await answer).toContain(shown)
    expect(calls).toHaveLength(1)
  })

  it('that the server refuses is refused with its error', async () => {
    const { call, calls, say } = await scene()
    const { answer } = await call(1)
    say(`{"jsonrpc":"2.0","id":${idIn(calls[0] ?? '')},"error":{"code":-32602,"message":"bad"}}`)
    expect(parseJson(await answer)).toMatchObject({ id: 1, error: { code: -32602, message: 'bad' } })
  })
})

describe('a call that takes longer', () => {
  it('has an entry by its soft timeout, and is asked once', async () => {
    const settings = { defaults: { asyncTimeout: '5s' as const }, tools: {} }
    const { clock, call, calls, answerTo } = await scene({ settings })
    const { answer } = await call(1)
    await clock.advance('5s')
    const { result } = parseJson(await answer) as { result: { structuredContent: { ref_id: string } } }
    const { ref_id } = result.structuredContent
    answerTo(calls[0])
    const polled = wired.poll(2, 'get_cached_result', { ref_id, wait_seconds: 5 })
    await clock.advance(0)
    expect(await polled).toMatchObject({ content: [{ text: 'ok' }] })
    expect(calls).toHaveLength(1)
  })

  it('is stored when it has run for a second, and not before', async () => {
    const { clock, call, calls, answerTo, during } = await scene()
    const { answer } = await call(1)
    expect((await during(() => clock.advance(999))).operations).toEqual([])
    expect((await during(() => clock.advance(1))).operations).toEqual(['claim'])
    answerTo(calls[0])
    await answer
  })

  it('and has no soft timeout is answered when the server answers', async () => {
    const { clock, call, calls, answerTo } = await scene()
    const { answer } = await call(1)
    await clock.advance('10s')
    answerTo(calls[0])
    expect(parseJson(await answer)).toMatchObject({ id: 1, result: { content: [{ text: 'ok' }] } })
    expect(calls).toHaveLength(1)
  })
})

describe('the same call twice at once', () => {
  it('of a tool that only reads is asked once', async () => {
    const { call, calls, answerTo } = await scene()
    const first = await call(1, 'read', '{"a":1,"b":2}')
    const second = await call(2, 'read', '{"b":2,"a":1}')
    expect(second.isAsked).toBe(false)
    answerTo(calls[0])
    expect(await first.answer).toContain('ok')
    expect(await second.answer).toContain('ok')
    expect(calls).toHaveLength(1)
  })

  it('with other arguments is another call', async () => {
    const { call, calls, answerTo } = await scene()
    const first = await call(1, 'read', '{"a":1}')
    const second = await call(2, 'read', '{"a":2}')
    expect(second.isAsked).toBe(true)
    for (const line of calls) answerTo(line)
    await Promise.all([first.answer, second.answer])
  })

  it('of a tool that may write is asked twice', async () => {
    const { call, calls, answerTo } = await scene()
    const first = await call(1, 'write')
    const second = await call(2, 'write')
    expect(second.isAsked).toBe(true)
    for (const line of calls) answerTo(line)
    await Promise.all([first.answer, second.answer])
  })

  it('is asked twice where something was written in between, or is being written', async () => {
    const { call, calls, answerTo } = await scene()
    const before = await call(1)
    const write = await call(2, 'write')
    const during = await call(3)
    answerTo(calls[1])
    await write.answer
    const after = await call(4)
    expect([during.isAsked, after.isAsked]).toEqual([true, true])
    for (const line of [calls[0], calls[2], calls[3]]) answerTo(line)
    await Promise.all([before.answer, during.answer, after.answer])
  })

  it('finds the run of one that has entered the flow', async () => {
    const { clock, call, calls, answerTo } = await scene()
    const first = await call(1)
    await clock.advance('2s')
    const second = await call(2)
    expect(second.isAsked).toBe(false)
    answerTo(calls[0])
    await Promise.all([first.answer, second.answer])
  })

  it('is found by one that runs through the flow from the start', async () => {
    const { call, calls, answerTo } = await scene()
    const first = await call(1)
    const second = await call(2, 'read', '{"_async_response_format":"full"}')
    expect(second.isAsked).toBe(false)
    answerTo(calls[0])
    await Promise.all([first.answer, second.answer])
  })
})

describe('what comes up while a call passes', () => {
  it('is cancelled at the server, and nothing is answered', async () => {
    const { call, calls, others, answerTo, cache } = await scene()
    await call(1)
    wired.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}')
    while (!others.some(line => line.includes('notifications/cancelled'))) await turn()
    expect(others.at(-1)).toContain(`"requestId":${idIn(calls[0] ?? '')}`)
    answerTo(calls[0])
    const next = await call(2)
    answerTo(calls[1])
    await next.answer
    expect(wired.lines.some(line => line.includes('"id":1,'))).toBe(false)
    expect(cache.unfinishedTasks('public')).toBe(0)
  })

  it('progress is told before the answer, under the token of the client', async () => {
    const { calls, answerTo, say } = await scene()
    const answer = wired.ask(1, 'tools/call', '{"name":"read","_meta":{"progressToken":"mine"}}')
    while (calls.length === 0) await turn()
    const token = /"progressToken":("[^"]*")/.exec(calls[0] ?? '')?.[1]
    say(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1,"total":2}}`,
    )
    answerTo(calls[0])
    expect(await answer).toContain('ok')
    const [progress, result] = wired.lines.slice(-2)
    expect(parseJson(progress ?? '')).toMatchObject({
      params: { progressToken: 'mine', progress: 1, total: 2 },
    })
    expect(result).toContain('"id":1')
  })

  it('a question of the server reaches the client, and its answer the server', async () => {
    const { call, calls, others, answerTo, say } = await scene({ capabilities: '{"elicitation":{}}' })
    const { answer } = await call(1)
    say(
      '{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"Sure?","requestedSchema":{"type":"object","properties":{}}}}',
    )
    const asked = await wired.line('"method":"elicitation/create"')
    wired.send(`{"jsonrpc":"2.0","id":${idIn(asked)},"result":{"action":"accept","content":{}}}`)
    while (!others.some(line => line.includes('"action":"accept"'))) await turn()
    answerTo(calls[0])
    expect(await answer).toContain('ok')
    expect(calls).toHaveLength(1)
  })

  it('counts as work of the session', async () => {
    const { call, calls, answerTo } = await scene()
    const { answer } = await call(1)
    expect(wired.session.hasWork).toBe(true)
    answerTo(calls[0])
    await answer
    expect(wired.session.hasWork).toBe(false)
  })

  it('takes a place in the queue: the next one waits for it', async () => {
    const { call, calls, answerTo } = await scene({ maxConcurrentTasks: 1 })
    const first = await call(1, 'write', '{"a":1}')
    const second = await call(2, 'write', '{"a":2}')
    expect(second.isAsked).toBe(false)
    answerTo(calls[0])
    await first.answer
    while (calls.length < 2) await turn()
    answerTo(calls[1])
    await second.answer
  })

  it('keeps its place when it enters the flow', async () => {
    const { clock, call, calls, answerTo } = await scene({ maxConcurrentTasks: 1 })
    const first = await call(1, 'write', '{"a":1}')
    const second = await call(2, 'write', '{"a":2}')
    await clock.advance('10s')
    expect(calls).toHaveLength(1)
    answerTo(calls[0])
    await first.answer
    while (calls.length < 2) await turn()
    answerTo(calls[1])
    await second.answer
  })

  it('is drained when the cache closes', async () => {
    const { call, calls, answerTo, cache } = await scene()
    const { answer } = await call(1)
    const closed = cache.close({ drain: '5s' })
    answerTo(calls[0])
    expect(await answer).toContain('ok')
    await closed
  })

  it('is stopped when the cache closes at once', async () => {
    const { call, others, cache } = await scene()
    const { answer } = await call(1)
    await cache.close()
    expect(await answer).toContain('"isError":true')
    expect(others.at(-1)).toContain('notifications/cancelled')
  })
})

describe('a listener or an audit sink', () => {
  it('sees each call, so that none passes', async () => {
    const { call, calls, answerTo, cache } = await scene()
    const events: string[] = []
    cache.on('*', ({ type }) => events.push(type))
    const { answer } = await call(1)
    answerTo(calls[0])
    await answer
    expect(events).toEqual(['task:started', 'task:settled'])
  })
})
