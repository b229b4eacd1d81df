import { describe, expect } from 'vitest'
import { requirementsOf } from './stateless-requirements.ts'
import {
  ask,
  call,
  EXTENSION,
  eventually,
  type Message,
  messagesOf,
  openWrapper,
  type Play,
  post,
  serverOf2025,
} from './stateless-scene.ts'

const text = (said: string) => ({ content: [{ type: 'text', text: said }] })
const ELICITATION = { elicitation: { form: {} } }
const QUESTION = { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }

/** Asks what `questions` says before it answers a call with what it was answered. */
function asking(questions: ReadonlyArray<readonly [method: string, params: object]>): Play {
  let nextId = 0
  const waiting = new Map<number, (answer: Message) => void>()
  return serverOf2025((message, say) => {
    if (message.method === undefined) waiting.get(message.id)?.(message)
    if (message.method !== 'tools/call') return undefined
    const { id, params } = message
    const asked = questions.map(([method, given]) => {
      const own = nextId++
      say({ jsonrpc: '2.0', id: own, method, params: { ...given, for: params.name } })
      return new Promise<Message>(resolve => waiting.set(own, resolve))
    })
    void Promise.all(asked).then(answers => {
      const said = answers.map(({ result, error }) => JSON.stringify(result ?? error.code)).join(' ')
      say({ jsonrpc: '2.0', id, result: text(`${params.name}: ${said}`) })
    })
    return undefined
  })
}

/** Sends the call again, as clients of 2026-07-28 do. */
function again(url: string, name: string, { result }: Message, inputResponses: object, capabilities: object) {
  const { requestState } = result
  return ask(url, 'tools/call', { name, arguments: {}, requestState, inputResponses }, { capabilities })
}

const requires = requirementsOf('stateless-2025')

describe('a client of 2026-07-28 in front of a server of 2025-11-25', () => {
  requires('discover', async () => {
    const play = serverOf2025(
      ({ method }) => (method === 'resources/list' ? { resources: [] } : text('hi')),
      [{ name: 'greet', inputSchema: {}, execution: { taskSupport: 'optional' } }],
      { tools: { listChanged: true }, tasks: { list: {} }, resources: {} },
    )
    const { url, servers } = await openWrapper(play)
    const { result } = await ask(url, 'server/discover')
    expect(result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: { listChanged: true }, resources: {}, extensions: EXTENSION.extensions },
      instructions: expect.stringMatching(/^Old words\./),
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'old', version: '1' } },
    })
    expect(result.capabilities).not.toHaveProperty('tasks')
    const listed = (await ask(url, 'tools/list')).result
    expect(listed).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' })
    expect(listed.tools[0]).not.toHaveProperty('execution')
    expect((await ask(url, 'resources/list')).result).toEqual({
      resultType: 'complete',
      resources: [],
      ttlMs: 0,
      cacheScope: 'private',
    })
    expect((await call(url, 'greet')).result).toEqual({ resultType: 'complete', ...text('hi') })
    const heard = servers[0]?.find(({ method }) => method === 'tools/call')?.params
    expect(JSON.stringify(heard)).not.toContain('io.modelcontextprotocol')
    expect(servers).toHaveLength(1)
  })

  requires('removed', async () => {
    const { url, servers } = await openWrapper(serverOf2025(() => ({})))
    for (const method of ['ping', 'logging/setLevel', 'resources/subscribe', 'tasks/list']) {
      const response = await post(url, method)
      expect([response.status, ((await response.json()) as Message).error.code]).toEqual([404, -32601])
    }
    expect(servers[0]?.map(({ method }) => method)).not.toContain('ping')
  })

  requires('asked', async () => {
    const roots = { roots: [{ uri: 'file:///a' }] }
    const { url, servers } = await openWrapper(
      asking([
        ['elicitation/create', QUESTION],
        ['roots/list', {}],
      ]),
    )
    const capabilities = { ...ELICITATION, roots: {} }
    const first = await call(url, 'greet', {}, { capabilities })
    expect(first.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        'elicitation-1': { method: 'elicitation/create', params: QUESTION },
        'roots-2': { method: 'roots/list' },
      },
      requestState: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    // What is left open is asked again.
    const accept = { action: 'accept', content: { yes: true } }
    const second = await again(url, 'greet', first, { 'elicitation-1': accept }, capabilities)
    expect(Object.keys(second.result.inputRequests)).toEqual(['roots-2'])
    const last = await again(url, 'greet', second, { 'roots-2': roots }, capabilities)
    expect(last.result).toMatchObject(text(`greet: ${JSON.stringify(accept)} ${JSON.stringify(roots)}`))
    expect(servers[0]?.filter(({ method }) => method === 'tools/call')).toHaveLength(1)
  })

  requires('answers', async () => {
    const { url } = await openWrapper(asking([['elicitation/create', QUESTION]]))
    const asked = await call(url, 'greet', {}, { capabilities: ELICITATION })
    const wrong = await again(url, 'greet', asked, { 'elicitation-1': { action: 'maybe' } }, ELICITATION)
    expect(wrong.error).toMatchObject({ code: -32602, message: expect.stringContaining('accept') })
    const decline = { 'elicitation-1': { action: 'decline' } }
    expect((await again(url, 'greet', asked, decline, ELICITATION)).result).toMatchObject(
      text('greet: {"action":"decline"}'),
    )
    const twice = await again(url, 'greet', asked, decline, ELICITATION)
    expect(twice.error).toMatchObject({ code: -32602, message: expect.stringContaining('requestState') })
  })

  requires('undeclared', async () => {
    const { url } = await openWrapper(asking([['sampling/createMessage', {}]]))
    const answer = await call(url, 'greet', {}, { capabilities: ELICITATION })
    expect(answer.result).toMatchObject(text('greet: -32601'))
  })

  requires('own-questions', async () => {
    const { url, servers } = await openWrapper(asking([['elicitation/create', QUESTION]]))
    const names = ['one', 'two', 'three']
    const asked = await Promise.all(names.map(name => call(url, name, {}, { capabilities: ELICITATION })))
    expect(asked.map(({ result }) => result.inputRequests['elicitation-1'].params.for)).toEqual(names)
    expect(servers.length).toBeGreaterThan(1)
    for (const [index, name] of names.entries()) {
      const { result } = await again(
        url,
        name,
        asked[index] as Message,
        { 'elicitation-1': { action: 'accept' } },
        ELICITATION,
      )
      expect(result).toMatchObject(text(`${name}: {"action":"accept"}`))
    }
  })

  requires('task-input', async () => {
    const started: Array<() => void> = []
    const ask2025 = asking([['elicitation/create', QUESTION]])
    const late: Play = (message, say, line) => {
      if (message.method === 'tools/call' && message.params.name === 'late') {
        started.push(() => ask2025(message, say, line))
      } else ask2025(message, say, line)
    }
    const { url } = await openWrapper(late)
    const capabilities = { ...ELICITATION, ...EXTENSION }
    const asked = await call(url, 'early', {}, { capabilities })
    expect(asked.result.resultType).toBe('input_required')
    const decline = { [`${Object.keys(asked.result.inputRequests)[0]}`]: { action: 'decline' } }
    expect((await again(url, 'early', asked, decline, capabilities)).result).toMatchObject(
      text('early: {"action":"decline"}'),
    )
    const { taskId } = (await call(url, 'late', {}, { capabilities })).result
    started[0]?.()
    const task = async () => (await ask(url, 'tasks/get', { taskId }, { capabilities })).result
    await eventually(async () => expect((await task()).status).toBe('input_required'))
    const [key] = Object.keys((await task()).inputRequests)
    const inputResponses = { [`${key}`]: { action: 'cancel' } }
    await ask(url, 'tasks/update', { taskId, inputResponses }, { capabilities })
    await eventually(async () => expect((await task()).status).toBe('completed'))
    expect((await task()).result).toMatchObject(text('late: {"action":"cancel"}'))
  })

  requires('progress', async () => {
    let nextStep = () => {}
    const play = serverOf2025((message, say) => {
      const { id, method, params } = message
      if (method !== 'tools/call') {
        if (id === 'q') nextStep()
        return undefined
      }
      const { progressToken } = params._meta
      const progress = (step: number) =>
        say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: step } })
      progress(1)
      nextStep = () => {
        progress(2)
        say({ jsonrpc: '2.0', id, result: text('done') })
      }
      say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: QUESTION })
      return undefined
    })
    const { url } = await openWrapper(play)
    const asked = { capabilities: ELICITATION, progressToken: 'mine' }
    const [first, question] = await messagesOf(await post(url, 'tools/call', { name: 'greet' }, asked))
    expect(first?.params).toMatchObject({ progressToken: 'mine', progress: 1 })
    const { requestState } = question?.result ?? {}
    const inputResponses = { 'elicitation-1': { action: 'accept' } }
    const params = { name: 'greet', requestState, inputResponses }
    const [second, answer] = await messagesOf(await post(url, 'tools/call', params, asked))
    expect(second?.params).toMatchObject({ progressToken: 'mine', progress: 2 })
    expect(answer?.result).toMatchObject(text('done'))
  })

  requires('leaving', async () => {
    const { url, servers } = await openWrapper(serverOf2025(() => undefined))
    const leaving = new AbortController()
    const left = post(url, 'tools/call', { name: 'slow' }, { signal: leaving.signal }).catch(() => 'left')
    const heard = (name: string) => servers[0]?.find(({ method }) => method === name)
    await eventually(() => expect(heard('tools/call')).toBeDefined())
    leaving.abort()
    await left
    await eventually(() =>
      expect(heard('notifications/cancelled')?.params.requestId).toBe(heard('tools/call')?.id),
    )
  })

  requires('tasks-alone', async () => {
    const tools = [{ name: 'job', inputSchema: {}, execution: { taskSupport: 'required' } }]
    const play = serverOf2025(({ method, params }) => {
      if (method === 'tasks/result') {
        return {
          ...text('done'),
          _meta: { 'io.modelcontextprotocol/related-task': { taskId: params.taskId } },
        }
      }
      if (method !== 'tools/call') return undefined
      return params.task
        ? { task: { taskId: 't', status: 'working' } }
        : { ...text('no task'), isError: true }
    }, tools)
    const { url } = await openWrapper(play)
    expect((await call(url, 'job')).result).toEqual({ resultType: 'complete', ...text('done') })
  })

  requires('task-status', async () => {
    const tools = [{ name: 'job', inputSchema: {}, execution: { taskSupport: 'required' } }]
    let finish = () => {}
    let polls = 0
    const play = serverOf2025(({ id, method, params }, say) => {
      const state = { taskId: 't', status: 'working', pollInterval: 100 }
      const told = { ...state, statusMessage: 'told' }
      if (method === 'tools/call') return { task: { ...state, statusMessage: 'begun' } }
      if (method === 'tasks/get') {
        polls++
        if (polls === 2) say({ jsonrpc: '2.0', method: 'notifications/tasks/status', params: told })
        if (polls === 3) finish()
        return polls === 1 ? { ...state, statusMessage: 'polled' } : told
      }
      if (method !== 'tasks/result') return undefined
      expect(params.taskId).toBe('t')
      finish = () => say({ jsonrpc: '2.0', id, result: text('done') })
      return undefined
    }, tools)
    const { url } = await openWrapper(play)
    await messagesOf(await post(url, 'tools/list'))
    const messages = await messagesOf(
      await post(url, 'tools/call', { name: 'job' }, { progressToken: 'mine' }),
    )
    expect(messages.flatMap(({ params }) => params?.message ?? [])).toEqual(['begun', 'polled', 'told'])
    expect(messages[0]?.params).toMatchObject({ progressToken: 'mine' })
    expect(messages.at(-1)?.result).toMatchObject(text('done'))
  })

  requires('task-failure', async () => {
    const tools = [{ name: 'job', inputSchema: {}, execution: { taskSupport: 'required' } }]
    const play = serverOf2025(({ id, method }, say) => {
      const state = { taskId: 't', status: 'working' }
      if (method === 'tools/call') return { task: state }
      if (method === 'tasks/get') return { ...state, status: 'failed', statusMessage: 'the disk is full' }
      if (method === 'tasks/result')
        say({ jsonrpc: '2.0', id, error: { code: -32603, message: 'No result.' } })
      return undefined
    }, tools)
    const { url } = await openWrapper(play)
    await messagesOf(await post(url, 'tools/list'))
    expect((await call(url, 'job')).result).toMatchObject({ ...text('the disk is full'), isError: true })
  })

  requires('changes', async () => {
    let say: (message: object) => void = () => {}
    const play = serverOf2025(
      (message, tell) => {
        say = tell
        return message.method === 'resources/subscribe' ? {} : undefined
      },
      [],
      { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true } },
    )
    const { url, servers } = await openWrapper(play)
    const notifications = {
      toolsListChanged: true,
      resourceSubscriptions: ['a:b'],
      resourcesListChanged: true,
    }
    const listening = await post(url, 'subscriptions/listen', { notifications }, { id: 5 })
    const reader = (listening.body as ReadableStream<Uint8Array>).getReader()
    let heard = ''
    const until = async (part: string) => {
      while (!heard.includes(part)) heard += new TextDecoder().decode((await reader.read()).value)
    }
    await until('acknowledged')
    expect(heard).toContain('{"toolsListChanged":true,"resourceSubscriptions":["a:b"]}')
    await eventually(() => expect(servers[0]?.map(({ method }) => method)).toContain('resources/subscribe'))
    for (const method of ['prompts/list_changed', 'tools/list_changed']) {
      say({ jsonrpc: '2.0', method: `notifications/${method}` })
    }
    say({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'a:b' } })
    await until('resources/updated')
    expect(heard).toContain('notifications/tools/list_changed')
    expect(heard).not.toContain('prompts')
    expect(heard.match(/"io.modelcontextprotocol\/subscriptionId":5\b/g)).toHaveLength(3)
    await reader.cancel()
    await eventually(() => expect(servers[0]?.map(({ method }) => method)).toContain('resources/unsubscribe'))
  })

  requires('errors', async () => {
    const play = serverOf2025(({ id, method }, say) => {
      const code = method === 'resources/read' ? -32002 : -32050
      say({ jsonrpc: '2.0', id, error: { code, message: 'no' } })
      return undefined
    })
    const { url } = await openWrapper(play)
    expect((await ask(url, 'resources/read', { uri: 'a:b' })).error).toMatchObject({ code: -32602 })
    expect((await ask(url, 'prompts/get', { name: 'p' })).error).toMatchObject({ code: -32050 })
  })
})
