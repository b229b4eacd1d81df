import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CAPABILITIES, envelope, TASKS } from './fixtures/task-client.ts'
import { PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'
import {
  type Connected,
  type ConnectOptions,
  gateIn,
  overHttp,
  overStdio,
  serverOf,
} from './fixtures/wrap-task-clients.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

async function ask({ dispatch }: Connected, method: string, params: object = {}): Promise<Answer> {
  const { result, error } = await dispatch({ method, params: params as Record<string, unknown> })
  return (error ? { error } : result) as Answer
}

/** `tools/call` of 2025-11-25 as a task. */
async function begin(connected: Connected, name: string, args: object = {}): Promise<string> {
  const { task } = await ask(connected, 'tools/call', { name, arguments: args, task: {} })
  expect(task.status).toBe('working')
  return task.taskId
}

const CORE = { list: {}, cancel: {}, requests: { tools: { call: {} } } }

function passingBy(name: string): string[] {
  const path = join(workshop.folder, 'config.json')
  writeFileSync(path, JSON.stringify({ tools: { [name]: { cache: false } } }))
  return ['--config', path]
}

describe('2025-11-25', () => {
  const connect = (options?: ConnectOptions) =>
    overStdio(workshop, '2025-11-25', serverOf('2025-11-25'), options)

  it.each([false, true])('is offered tasks for the server’s tools, and for those alone', async ownTasks => {
    const { client } = await connect({ ownTasks })
    expect(client.getServerCapabilities()?.tasks).toEqual(CORE)
    const { tools } = (await client.listTools()) as Answer
    const support = Object.fromEntries(tools.map((tool: Answer) => [tool.name, tool.execution?.taskSupport]))
    expect(support).toMatchObject({ job: 'optional', greet: 'optional' })
    expect(support.get_cached_result).toBeUndefined()
  })

  it('is offered none by earlier revisions, whose servers judge such wishes themselves', async () => {
    const raw = workshop.process(['wrap', '--store', workshop.store, '--', ...PLAIN])
    const clientInfo = { name: 'raw', version: '1' }
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
    raw.send({ id: 1, method: 'initialize', params })
    expect(((await raw.answer(1)) as Answer).result.capabilities.tasks).toBeUndefined()
    raw.send({ method: 'notifications/initialized' })
    raw.send({ id: 2, method: 'tools/list', params: {} })
    expect(JSON.stringify(await raw.answer(2))).not.toContain('taskSupport')
    raw.send({ id: 3, method: 'tools/call', params: { name: 'echo-params', task: { ttl: 1 } } })
    expect(((await raw.answer(3)) as Answer).result.content[0].text).toContain('"task":{"ttl":1}')
    raw.send({ id: 4, method: 'tasks/get', params: { taskId: 'x' } })
    expect(((await raw.answer(4)) as Answer).error.code).toBe(-32601)
  })

  it.each([true, false])(
    'is told of each change of its task, and which task a question belongs to (own tasks: %s)',
    async ownTasks => {
      const connected = await connect({ ownTasks })
      const related: unknown[] = []
      const told = () => connected.told.filter(({ method }) => method === 'notifications/tasks/status')
      connected.client.setRequestHandler('elicitation/create', async ({ params }) => {
        related.push(params._meta?.['io.modelcontextprotocol/related-task'])
        const isTold = () => told().some(({ params }) => params?.status === 'input_required') || undefined
        await until(isTold, 'the status of the task that asks')
        return { action: 'accept', content: { name: 'Ada' } }
      })
      const taskId = await begin(connected, 'greet')
      const result = await ask(connected, 'tasks/result', { taskId })
      expect(result.content).toEqual([{ type: 'text', text: 'Hello, Ada!' }])
      expect(result._meta['io.modelcontextprotocol/related-task']).toEqual({ taskId })
      expect(related).toEqual([{ taskId }])
      await until(() => told().some(({ params }) => params?.status === 'completed') || undefined, 'the end')
      // Never of the task behind it.
      expect(new Set(told().map(({ params }) => params?.taskId))).toEqual(new Set([taskId]))
    },
  )

  it.each([false, true])('is asked by the connection where it only polls (own tasks: %s)', async ownTasks => {
    const connected = await connect({ ownTasks })
    const taskId = await begin(connected, 'greet')
    const end = await until(async () => {
      const { status } = await ask(connected, 'tasks/get', { taskId })
      return status === 'completed' || undefined
    }, 'the end')
    expect(end).toBe(true)
  })

  it('finds what to tell its model at once in the answer to its call', async () => {
    const connected = await connect()
    const call = { name: 'job', arguments: { gate: gateIn(workshop).gate }, task: {} }
    const { task, _meta } = await ask(connected, 'tools/call', call)
    const said = _meta['io.modelcontextprotocol/model-immediate-response']
    expect(said).toContain(task.taskId)
    expect(said).toContain('get_cached_result')
  })

  it.each(['nonsense', 'server:', 'server:made-up', 7, null])(
    'has no page for the cursor %j',
    async cursor => {
      const connected = await connect()
      expect((await ask(connected, 'tasks/list', { cursor })).error).toMatchObject({ code: -32602 })
    },
  )

  it('keeps the server’s own error of the protocol', async () => {
    const connected = await overStdio(workshop, '2025-11-25', PLAIN)
    const taskId = await begin(connected, 'refuse')
    expect((await ask(connected, 'tasks/result', { taskId })).error).toMatchObject({
      code: -32602,
      message: 'not with these arguments',
      data: { field: 'x' },
    })
    expect(await ask(connected, 'tasks/get', { taskId })).toMatchObject({
      taskId,
      status: 'failed',
      statusMessage: 'not with these arguments',
    })
  })

  it('cannot cancel what is over, nor call the polling tools as tasks', async () => {
    const connected = await overStdio(workshop, '2025-11-25', PLAIN)
    const taskId = await begin(connected, 'count')
    await ask(connected, 'tasks/result', { taskId })
    expect((await ask(connected, 'tasks/cancel', { taskId })).error.code).toBe(-32602)
    const poll = { name: 'get_cached_result', arguments: { ref_id: taskId } }
    expect((await ask(connected, 'tools/call', { ...poll, task: {} })).error.code).toBe(-32601)
    // The task and the reference are one.
    const polled = await ask(connected, 'tools/call', poll)
    expect(polled._meta).toEqual({ 'mcp-refcache/ref_id': taskId })
  })

  it('lists its tasks, and no other client’s', async () => {
    const raw = workshop.process(['wrap', '--http', '0', '--store', workshop.store, '--', ...PLAIN])
    const url = new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
    const alice = await overHttp(workshop, url)
    const bob = await overHttp(workshop, url)
    const taskId = await begin(alice, 'slow', { ms: 60_000 })
    const { tasks } = await ask(alice, 'tasks/list')
    expect(tasks).toMatchObject([{ taskId, status: 'working' }])
    expect(await ask(bob, 'tasks/list')).toEqual({ tasks: [] })
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const { error } = await ask(bob, method, { taskId })
      expect(error).toEqual((await ask(bob, method, { taskId: 'never-heard-of' })).error)
      expect(error.code).toBe(-32602)
    }
  })

  it('has the server’s own tasks where a tool passes the cache by', async () => {
    const connected = await connect({ ownTasks: true, wrap: passingBy('job') })
    const { gate, open } = gateIn(workshop)
    const ours = await begin(connected, 'greet')
    const theirs = await begin(connected, 'job', { gate })
    expect(theirs).not.toContain(':')
    expect(await ask(connected, 'tasks/get', { taskId: theirs })).toMatchObject({ status: 'working' })
    const listed: string[] = []
    for (let cursor: object | undefined = {}; cursor; ) {
      const { tasks, nextCursor } = await ask(connected, 'tasks/list', cursor)
      listed.push(...tasks.map((task: Answer) => task.taskId))
      cursor = nextCursor && { cursor: nextCursor }
    }
    expect(listed).toEqual(expect.arrayContaining([ours, theirs]))
    open({ value: 'untouched' })
    const { content, _meta } = await ask(connected, 'tasks/result', { taskId: theirs })
    expect(content).toEqual([{ type: 'text', text: 'untouched' }])
    expect(_meta).toEqual({ 'io.modelcontextprotocol/related-task': { taskId: theirs } })
  })
})

describe('2026-07-28', () => {
  const connect = (options?: ConnectOptions) =>
    overStdio(workshop, '2026-07-28', serverOf('2026-07-28'), options)
  const declaring = { _meta: envelope(TASKS) }
  const silent = { _meta: envelope(CAPABILITIES) }

  it('is offered the extension, whether the server has it or not', async () => {
    for (const ownTasks of [false, true]) {
      const { client } = await connect({ ownTasks })
      expect(client.getServerCapabilities()?.extensions).toEqual({ 'io.modelcontextprotocol/tasks': {} })
    }
  })

  it('is answered at once where the work is quick, and without a task where it declares none', async () => {
    const connected = await connect()
    const { gate, open } = gateIn(workshop)
    open({ value: 'quick' })
    const quick = await ask(connected, 'tools/call', { ...declaring, name: 'job', arguments: { gate } })
    expect(quick).toMatchObject({ resultType: 'complete', content: [{ text: 'quick' }] })
    const later = gateIn(workshop)
    const call = { name: 'job', arguments: { gate: later.gate } }
    const task = await ask(connected, 'tools/call', { ...declaring, ...call })
    expect(task).toMatchObject({ resultType: 'task', status: 'working' })
    const waiting = ask(connected, 'tools/call', { ...silent, ...call })
    later.open({ value: 'slow' })
    expect(await waiting).toMatchObject({ resultType: 'complete', content: [{ text: 'slow' }] })
  })

  it('needs the extension for requests about tasks, and gives one answer for what is not there', async () => {
    const connected = await connect()
    const taskId = `wrap-tasks-2026:${'0'.repeat(32)}`
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update']) {
      expect((await ask(connected, method, { ...silent, taskId })).error).toMatchObject({
        code: -32021,
        data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
      })
      const { error } = await ask(connected, method, { ...declaring, taskId })
      expect(error.code).toBe(-32602)
      expect((await ask(connected, method, { ...declaring, taskId: 'x' })).error).toEqual(error)
    }
  })

  it.each([false, true])('shows the server’s question until it is answered, once', async ownTasks => {
    const connected = await connect({ ownTasks })
    const { gate, open } = gateIn(workshop)
    const call = { ...declaring, name: 'greet', arguments: { gate } }
    const { taskId } = await ask(connected, 'tools/call', call)
    open({ value: 1 })
    const task = () => ask(connected, 'tasks/get', { ...declaring, taskId })
    const { inputRequests } = await until(async () => {
      const state = await task()
      return state.status === 'input_required' ? state : undefined
    }, 'the question')
    expect(inputRequests).toMatchObject({
      'elicit-1': { method: 'elicitation/create', params: { message: 'What is your name?' } },
    })
    const inputResponses = { 'elicit-1': { action: 'accept', content: { name: 'Grace' } } }
    await ask(connected, 'tasks/update', { ...declaring, taskId, inputResponses })
    const done = await until(async () => {
      const state = await task()
      return state.status === 'completed' ? state : undefined
    }, 'the end')
    expect(JSON.stringify(done.result)).toContain('Hello, Grace!')
    expect(done.result.resultType).toBe('complete')
  })

  it.each([false, true])(
    'has quick questions as the answer to its call, the server having tasks: %s',
    async ownTasks => {
      const connected = await connect({ ownTasks })
      const call = { ...declaring, name: 'greet', arguments: {} }
      const asked = await ask(connected, 'tools/call', call)
      expect(asked).toMatchObject({ resultType: 'input_required' })
      const [[key = '', question] = []] = Object.entries(asked.inputRequests)
      expect(question).toMatchObject({
        method: 'elicitation/create',
        params: { message: 'What is your name?' },
      })
      const inputResponses = { [key]: { action: 'accept', content: { name: 'Grace' } } }
      const answered = await ask(connected, 'tools/call', { ...call, inputResponses })
      expect(answered).toMatchObject({
        resultType: 'complete',
        content: [{ text: expect.stringContaining('Hello, Grace!') }],
      })
    },
  )

  it.each([
    ['alone', {}],
    ['with what the server tells of', { toolsListChanged: true }],
  ])('listens to its tasks, %s', async (_, others) => {
    const connected = await connect()
    const { gate, open } = gateIn(workshop)
    const begun = await ask(connected, 'tools/call', { ...declaring, name: 'job', arguments: { gate } })
    const unknown = `wrap-tasks-2026:${'0'.repeat(32)}`
    const notifications = { ...others, taskIds: [begun.taskId, unknown] }
    // Answered when the subscription is over.
    void connected.dispatch({ method: 'subscriptions/listen', params: { ...declaring, notifications } })
    const acknowledged = await until(
      () => connected.told.find(({ method }) => method === 'notifications/subscriptions/acknowledged'),
      'the acknowledgement',
    )
    expect(acknowledged.params?.notifications).toEqual({ ...others, taskIds: [begun.taskId] })
    const told = () => connected.told.filter(({ method }) => method === 'notifications/tasks')
    await until(() => told()[0], 'how the task stands')
    open({ value: 'heard' })
    const last = await until(() => told().find(({ params }) => params?.status === 'completed'), 'the end')
    expect(last.params).toMatchObject({
      taskId: begun.taskId,
      result: { resultType: 'complete', content: [{ text: 'heard' }] },
      _meta: acknowledged.params?._meta,
    })
  })

  it('hears nothing more of a subscription that it ended', async () => {
    const connected = await connect()
    const { gate, open } = gateIn(workshop)
    const { taskId } = await ask(connected, 'tools/call', { ...declaring, name: 'job', arguments: { gate } })
    const params = { ...declaring, notifications: { taskIds: [taskId] } }
    void connected.dispatch({ method: 'subscriptions/listen', params })
    const told = () => connected.told.filter(({ method }) => method === 'notifications/tasks')
    const first = await until(() => told()[0], 'how the task stands')
    const meta = first.params?._meta as Answer
    const requestId = meta['io.modelcontextprotocol/subscriptionId']
    await connected.notify('notifications/cancelled', { ...declaring, requestId })
    const before = await ask(connected, 'tasks/get', { ...declaring, taskId })
    expect(before.status).toBe('working')
    const heard = told().length
    open({ value: 'unheard' })
    await until(async () => {
      const { status } = await ask(connected, 'tasks/get', { ...declaring, taskId })
      return status === 'completed' || undefined
    }, 'the end')
    await ask(connected, 'tools/list', declaring)
    expect(told()).toHaveLength(heard)
  })

  it('may not listen without the extension', async () => {
    const connected = await connect()
    const notifications = { taskIds: [`wrap-tasks-2026:${'0'.repeat(32)}`] }
    const { error } = await ask(connected, 'subscriptions/listen', { ...silent, notifications })
    expect(error.code).toBe(-32021)
  })

  it('fails, rather than waits for ever, what has to ask a client that cannot be asked', async () => {
    const connected = await connect({ ownTasks: true })
    const meta = { _meta: envelope({ extensions: TASKS.extensions ?? {} }) }
    const { taskId, ...answer } = await ask(connected, 'tools/call', {
      ...meta,
      name: 'greet',
      arguments: {},
    })
    const end = taskId
      ? await until(async () => {
          const state = await ask(connected, 'tasks/get', { ...meta, taskId })
          return state.status === 'completed' ? state.result : undefined
        }, 'the end')
      : answer
    expect(end.isError).toBe(true)
  })
})
