import { describe, expect } from 'vitest'
import { requirementsOf } from './stateless-requirements.ts'
import {
  ask,
  bodyOf,
  call,
  EXTENSION,
  eventually,
  type Message,
  messagesOf,
  openWrapper,
  post,
  postText,
  serverOf2026,
} from './stateless-scene.ts'

const text = (said: string) => ({ content: [{ type: 'text', text: said }] })

/** Holds calls back until the test answers them. */
function held() {
  const waiting: Array<{ message: Message; say: (message: object) => void }> = []
  const server = serverOf2026((message, say) => {
    waiting.push({ message, say })
    return undefined
  })
  const calls = async (count: number) => {
    await eventually(() => expect(waiting.length).toBeGreaterThanOrEqual(count))
    return waiting
  }
  return { server, calls }
}

const requires = requirementsOf('stateless')

describe('a client of 2026-07-28 in front of a server of 2026-07-28', () => {
  requires('discover', async () => {
    const { url, servers } = await openWrapper(
      serverOf2026(() => text('hi'), [{ name: 'greet', inputSchema: {} }]),
    )
    const discovered = await post(url, 'server/discover')
    expect(discovered.headers.get('mcp-session-id')).toBeNull()
    const { result } = (await discovered.json()) as Message
    expect(result.supportedVersions).toEqual(['2026-07-28'])
    expect(result.capabilities.extensions).toEqual({ 'io.modelcontextprotocol/tasks': {} })
    const listed = (await ask(url, 'tools/list')).result.tools.map(({ name }: Message) => name)
    expect(listed).toEqual([
      'greet',
      'get_cached_result',
      'cancel_task',
      'retry_task',
      'query_cached_result',
      'edit_cached_result',
    ])
    expect((await call(url, 'greet')).result).toEqual({ resultType: 'complete', ...text('hi') })
    expect(servers).toHaveLength(1)
  })

  requires('own-answers', async () => {
    const { server, calls } = held()
    const { url, servers } = await openWrapper(server)
    const asked = { id: 7, progressToken: 7 }
    const responses = [
      post(url, 'tools/call', { name: 'one' }, asked),
      post(url, 'tools/call', { name: 'two' }, asked),
    ]
    for (const { message, say } of await calls(2)) {
      const { id, params } = message
      const { progressToken } = params._meta
      say({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken, progress: 1, message: params.name },
      })
      say({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...text(params.name) } })
    }
    for (const [index, name] of ['one', 'two'].entries()) {
      const [progress, answer] = await messagesOf((await responses[index]) as Response)
      expect(progress?.params).toEqual({ progressToken: 7, progress: 1, message: name })
      expect(answer).toMatchObject({ id: 7, result: text(name) })
    }
    expect(servers).toHaveLength(1)
  })

  requires('leaving', async () => {
    const { server, calls } = held()
    const { url, servers } = await openWrapper(server)
    const leaving = new AbortController()
    const left = post(url, 'tools/call', { name: 'left' }, { signal: leaving.signal }).catch(() => 'left')
    const kept = post(url, 'tools/call', { name: 'kept' })
    const [one, two] = (await calls(2)).map(({ message }) => message)
    const [first, second] = one?.params.name === 'left' ? [one, two] : [two, one]
    leaving.abort()
    expect(await left).toBe('left')
    const cancelled = () => servers[0]?.filter(({ method }) => method === 'notifications/cancelled')
    await eventually(() => expect(cancelled()).toHaveLength(1))
    expect(cancelled()?.[0]?.params.requestId).toBe(first?.id)
    const { say } = (await calls(2)).find(({ message }) => message === second) as {
      say(message: object): void
    }
    say({ jsonrpc: '2.0', id: second?.id, result: { resultType: 'complete', ...text('kept') } })
    expect((await messagesOf(await kept)).at(-1)?.result).toMatchObject(text('kept'))
  })

  requires('strangers', async () => {
    let runs = 0
    const play = serverOf2026(
      () => text(`run ${++runs}`),
      [{ name: 'pure', inputSchema: {}, annotations: { readOnlyHint: true, idempotentHint: true } }],
    )
    const tools = { pure: { memoize: true, asyncTimeout: 0 as const } }
    const { url } = await openWrapper(play, { wrap: { settings: { defaults: {}, tools } } })
    const handles = [await call(url, 'pure'), await call(url, 'pure')]
    const [first, second] = handles.map(handle => bodyOf(handle).ref_id)
    expect(first).not.toBe(second)
    const polled = await call(url, 'get_cached_result', { ref_id: first })
    expect(polled.result.content).toEqual(text('run 1').content)
    expect(runs).toBe(2)
  })

  requires('digits', async () => {
    const numbers = '[725653563933458437,0.50,1e400,-0]'
    const lines: string[] = []
    const play = serverOf2026(({ id }, say, line) => {
      lines.push(line)
      say(
        `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete","content":[],"n":${numbers}}}`,
      )
      return undefined
    })
    const { url } = await openWrapper(play)
    const answer = await postText(
      url,
      'tools/call',
      `"name":"n","arguments":{"n":${numbers}}`,
      '9007199254740993',
    )
    expect(answer).toContain('"id":9007199254740993,')
    expect(answer).toContain(`"n":${numbers}`)
    expect(lines[0]).toContain(`{"n":${numbers}}`)
    const refused = await postText(url, 'tools/call', '"name":"n"', '9007199254740993', {
      'mcp-name': 'other',
    })
    expect(refused).toMatch(/-32020.*"id":9007199254740993/)
  })

  requires('task-subscription', async () => {
    const { server, calls } = held()
    const { url } = await openWrapper(server, { wrap: { settings: { defaults: {}, tools: {} } } })
    const created = await call(url, 'slow', {}, { capabilities: EXTENSION })
    const { taskId, resultType } = created.result
    expect(resultType).toBe('task')
    const params = { notifications: { taskIds: [taskId] } }
    const listening = await post(url, 'subscriptions/listen', params, { id: 'mine', capabilities: EXTENSION })
    expect(listening.headers.get('content-type')).toBe('text/event-stream')
    const [{ message, say }] = (await calls(1)) as [{ message: Message; say(message: object): void }]
    say({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ...text('done') } })
    let heard = ''
    for await (const chunk of listening.body as ReadableStream<Uint8Array>) {
      heard += new TextDecoder().decode(chunk)
      if (heard.includes('"completed"')) break
    }
    expect(heard).toContain('notifications/subscriptions/acknowledged')
    expect(heard.match(/"io.modelcontextprotocol\/subscriptionId":"mine"/g)?.length).toBeGreaterThan(1)
    const task = await ask(url, 'tasks/get', { taskId }, { capabilities: EXTENSION })
    expect(task.result).toMatchObject({ status: 'completed', result: text('done') })
  })

  requires('refused', async () => {
    const { url, servers } = await openWrapper(serverOf2026(() => text('hi')))
    const mismatch = await post(url, 'tools/call', { name: 'a' }, { headers: { 'mcp-name': 'b' } })
    expect([mismatch.status, ((await mismatch.json()) as Message).error.code]).toEqual([400, -32020])
    const unknown = await post(url, 'tools/list', {}, { headers: { 'mcp-protocol-version': '2031-01-01' } })
    expect(unknown.status).toBe(400)
    const plain = await post(url, 'tools/list', {}, { headers: { 'content-type': 'text/plain' } })
    expect(plain.status).toBe(415)
    expect(servers).toHaveLength(0)
  })

  requires('parameter-headers', async () => {
    const region = { type: 'string', 'x-mcp-header': 'Region' }
    const inputSchema = { type: 'object', properties: { region } }
    const { url, servers } = await openWrapper(serverOf2026(() => text('hi'), [{ name: 'run', inputSchema }]))
    const run = (headers: Record<string, string>) =>
      post(url, 'tools/call', { name: 'run', arguments: { region: 'eu' } }, { headers })
    for (const headers of [{}, { 'mcp-param-region': 'us' }] as Array<Record<string, string>>) {
      const refused = await run(headers)
      expect([refused.status, ((await refused.json()) as Message).error.code]).toEqual([400, -32020])
    }
    expect(servers[0]?.map(({ method }) => method)).not.toContain('tools/call')
    expect((await messagesOf(await run({ 'mcp-param-region': 'eu' })))[0]?.result).toMatchObject(text('hi'))
  })

  requires('no-server', async () => {
    const { url, wrapper } = await openWrapper(serverOf2026(() => text('hi')))
    const { connect } = wrapper
    wrapper.connect = async () => {
      throw new Error('no such command')
    }
    const answer = await call(url, 'greet')
    expect(answer).toMatchObject({
      id: 1,
      error: { code: -32000, message: expect.stringContaining('cannot be started') },
    })
    wrapper.connect = connect
    expect((await call(url, 'greet')).result).toMatchObject(text('hi'))
  })
})
