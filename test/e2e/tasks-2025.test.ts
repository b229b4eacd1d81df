import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  type ElicitResult,
  McpError,
  TaskStatusNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  type Connected,
  gate,
  headersOf,
  overHttp,
  overStdio,
  STDIO_SERVER,
  startTasksServer,
  stdioHere,
  type TasksServer,
} from './fixtures/tasks-clients.ts'
import { Raw } from './fixtures/wrap-harness.ts'

let server: TasksServer
beforeAll(async () => {
  server = await startTasksServer()
})
afterAll(() => server.close())

const anybody = () => `${randomUUID()}`
const asTask = { task: { preference: 'prefer' } } as const

const TRANSPORTS: Record<string, () => Promise<Connected>> = {
  'HTTP without sessions': () => overHttp(server.url, 'legacy', { user: anybody() }),
  'HTTP with sessions': () => overHttp(server.sessions, 'legacy', { user: anybody() }),
  stdio: () => overStdio('legacy'),
}

describe.each(Object.entries(TRANSPORTS))(
  'the task client of ext-tasks, 2025-11-25 over %s',
  (_, connect) => {
    it('is given a task where it asks for one, and the result of the call by tasks/result', async () => {
      const { session } = await connect()
      const { gate: path, open } = gate()
      const execution = await session.callTool('job', { gate: path }, asTask)
      if (execution.kind !== 'task') throw new Error('no task')
      const { taskId } = execution.handle
      expect(await session.task(taskId).snapshot()).toMatchObject({ status: 'working' })
      open({ value: { n: 1 } })
      const { outcome } = await execution.settle()
      expect(resultFromTaskOutcome(outcome)).toMatchObject({
        structuredContent: { ref_id: taskId, status: 'complete', value: { n: 1 } },
        _meta: { 'io.modelcontextprotocol/related-task': { taskId } },
      })
    })

    it('is given a task for quick work too: it asked for one', async () => {
      const { session } = await connect()
      const execution = await session.callTool('echo', { text: 'hello' }, asTask)
      expect(execution.kind).toBe('task')
      const { outcome } = await execution.settle()
      expect(resultFromTaskOutcome(outcome).structuredContent).toMatchObject({ value: { text: 'hello' } })
    })

    it('hears of a failure by the message of the task', async () => {
      const { session } = await connect()
      const { gate: path, open } = gate()
      const execution = await session.callTool('job', { gate: path }, asTask)
      open({ error: 'the disk is full' })
      const { outcome } = await execution.settle()
      expect(outcome).toMatchObject({ status: 'failed', error: { message: 'the disk is full' } })
    })

    it('can cancel a task', async () => {
      const { session } = await connect()
      const execution = await session.callTool('job', { gate: gate().gate }, asTask)
      await execution.cancel()
      expect((await execution.settle()).outcome.status).toBe('cancelled')
    })
  },
)

interface Asked {
  readonly message: string
  readonly taskId: unknown
}

/** The client of SDK v1, with a user who answers each question by a name. */
async function v1(where: URL | 'stdio', { user = anybody(), elicitation = true } = {}) {
  const capabilities = { sampling: {}, ...(elicitation ? { elicitation: {} } : {}) }
  const client = new ClientV1({ name: 'v1', version: '1.0.0' }, { capabilities })
  const asked: Asked[] = []
  const told: Array<{ taskId: string; status: string }> = []
  if (elicitation) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      const related = params._meta?.['io.modelcontextprotocol/related-task']
      asked.push({ message: params.message, taskId: related?.taskId })
      return { action: 'accept', content: { name: 'Ada' } }
    })
  }
  client.setNotificationHandler(TaskStatusNotificationSchema, ({ params }) => void told.push(params))
  const requestInit = { headers: headersOf(user) }
  const transport =
    where === 'stdio' ? await stdioHere() : new StreamableHTTPClientTransport(where, { requestInit })
  await client.connect(transport as Parameters<typeof client.connect>[0])
  onTestFinished(() => client.close())
  const { tasks } = client.experimental
  /** Calls a tool as a task, and follows it to its end as the SDK does. */
  async function stream(name: string, args: Record<string, unknown>, onTask?: (taskId: string) => void) {
    let end: unknown
    for await (const message of tasks.callToolStream({ name, arguments: args }, CallToolResultSchema, {
      task: {},
    })) {
      if (message.type === 'taskCreated') onTask?.(message.task.taskId)
      if (message.type === 'result') end = message.result
      if (message.type === 'error') throw message.error
    }
    return end
  }
  const create = async (name: string, args: Record<string, unknown>) => {
    const { task } = await client.request(
      { method: 'tools/call', params: { name, arguments: args, task: {} } },
      CreateTaskResultSchema,
    )
    return task
  }
  return { client, tasks, stream, create, asked, told }
}

const WHERE: Array<[string, () => URL | 'stdio']> = [
  ['stdio', () => 'stdio'],
  ['HTTP with sessions', () => server.sessions],
]

describe.each(WHERE)('the experimental tasks of the client of SDK v1, over %s', (_, where) => {
  it('follows a task to its result', async () => {
    const { client, stream } = await v1(where())
    await client.listTools()
    const { gate: path, open } = gate()
    const result = await stream('job', { gate: path }, () => open({ value: { n: 1 } }))
    expect(result).toMatchObject({ structuredContent: { status: 'complete', value: { n: 1 } } })
  })

  it('is asked in the middle of the work, by a request that says which task it belongs to', async () => {
    const { stream, asked } = await v1(where())
    let taskId: string | undefined
    const result = await stream('greet', {}, created => {
      taskId = created
    })
    expect(result).toMatchObject({ structuredContent: { value: 'Hello, Ada!' } })
    expect(asked).toEqual([{ message: 'What is your name?', taskId }])
  })

  it('is asked anew where it waits anew, and the older question is withdrawn', async () => {
    const { client, create, stream, tasks } = await v1(where())
    // That client overlooks it where a request with the id 0 is withdrawn, which is the first one.
    await stream('greet', {})
    const asked: Array<{ signal: AbortSignal; answer: (answer: ElicitResult) => void }> = []
    client.setRequestHandler(
      ElicitRequestSchema,
      (_, { signal }) => new Promise<ElicitResult>(answer => asked.push({ signal, answer })),
    )
    const { taskId } = await create('greet', {})
    const first = tasks.getTaskResult(taskId, CallToolResultSchema)
    await expect.poll(() => asked.length).toBe(1)
    const second = tasks.getTaskResult(taskId, CallToolResultSchema)
    await expect.poll(() => asked.length).toBe(2)
    await expect.poll(() => asked[0]?.signal.aborted).toBe(true)
    expect(asked[1]?.signal.aborted).toBe(false)
    asked[1]?.answer({ action: 'accept', content: { name: 'Ada' } })
    expect(await first).toMatchObject({ structuredContent: { value: 'Hello, Ada!' } })
    expect(await second).toEqual(await first)
    expect(asked).toHaveLength(2)
  })

  it('has its model answer in the middle of the work', async () => {
    const { client, stream } = await v1(where())
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      model: 'test',
      role: 'assistant',
      content: { type: 'text', text: '42' },
    }))
    expect(await stream('think', {})).toMatchObject({ structuredContent: { value: '42' } })
  })

  it('need not: a refusal reaches the work, which ends by it', async () => {
    const { client, create, tasks } = await v1(where())
    client.setRequestHandler(CreateMessageRequestSchema, () => {
      throw new McpError(-1, 'User rejected sampling request')
    })
    const { taskId } = await create('think', {})
    expect(await tasks.getTaskResult(taskId, CallToolResultSchema)).toMatchObject({ isError: true })
    expect(await tasks.getTask(taskId)).toMatchObject({ status: 'failed' })
  })

  it('is told when the status of its task changes', async () => {
    const { create, told } = await v1(where())
    const { gate: path, open } = gate()
    const { taskId } = await create('job', { gate: path })
    open({ value: { n: 1 } })
    await expect
      .poll(() => told.filter(task => task.taskId === taskId).at(-1))
      .toMatchObject({ status: 'completed' })
    expect(JSON.stringify(told)).not.toContain('related-task')
  })

  it('lists its own tasks, and nobody else’s', async () => {
    const [mine, other] = [await v1(where()), await v1(where())]
    const [first, second] = [
      await mine.create('job', { gate: gate().gate }),
      await mine.create('job', { gate: gate().gate }),
    ]
    const { tasks: listed } = await mine.tasks.listTasks()
    const ids = listed.map(({ taskId }) => taskId)
    expect(ids).toEqual(expect.arrayContaining([first.taskId, second.taskId]))
    expect((await other.tasks.listTasks()).tasks).toEqual([])
    await expect(mine.tasks.listTasks('nonsense')).rejects.toMatchObject({ code: -32602 })
  })

  it('is refused to cancel what has ended', async () => {
    const { create, tasks } = await v1(where())
    const { taskId } = await create('job', { gate: gate().gate })
    expect(await tasks.cancelTask(taskId)).toMatchObject({ taskId, status: 'cancelled' })
    await expect(tasks.cancelTask(taskId)).rejects.toMatchObject({ code: -32602 })
  })
})

/** Asks for a result over HTTP with a session, and drops the connection once the question has come. */
async function dropWhenAsked(sessionId: string, user: string, taskId: string): Promise<void> {
  const leave = new AbortController()
  const response = await fetch(server.sessions, {
    method: 'POST',
    signal: leave.signal,
    headers: {
      ...headersOf(user),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': sessionId,
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'dropped', method: 'tasks/result', params: { taskId } }),
  })
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes('elicitation/create')) break
  }
  leave.abort()
}

describe('a question whose stream has dropped', () => {
  it('is asked again by the next request for the result', async () => {
    const user = anybody()
    const { client, create, tasks, asked } = await v1(server.sessions, { user })
    const { taskId } = await create('greet', {})
    await dropWhenAsked(client.transport?.sessionId as string, user, taskId)
    expect(await tasks.getTaskResult(taskId, CallToolResultSchema)).toMatchObject({
      structuredContent: { value: 'Hello, Ada!' },
    })
    expect(asked).toHaveLength(1)
  })

  it('keeps no other session of the same user from being asked', async () => {
    const user = anybody()
    const [one, other] = [await v1(server.sessions, { user }), await v1(server.sessions, { user })]
    const { taskId } = await one.create('greet', {})
    await dropWhenAsked(one.client.transport?.sessionId as string, user, taskId)
    expect(await other.tasks.getTaskResult(taskId, CallToolResultSchema)).toMatchObject({
      structuredContent: { value: 'Hello, Ada!' },
    })
    expect(other.asked).toHaveLength(1)
  })
})

describe('2025-11-25 on the wire', () => {
  it('tools say whether they can be called as tasks, and the server that it has tasks', async () => {
    const { client } = await v1('stdio')
    const { tools } = await client.listTools()
    const support = Object.fromEntries(tools.map(({ name, execution }) => [name, execution?.taskSupport]))
    expect(support).toMatchObject({ job: 'optional', required: 'required' })
    expect(support.never).toBeUndefined()
    expect(support.get_cached_result).toBeUndefined()
    expect(client.getServerCapabilities()?.tasks).toEqual({
      list: {},
      cancel: {},
      requests: { tools: { call: {} } },
    })
  })

  it('a tool that needs to be called as a task is not called otherwise, nor a tool that is none called as one', async () => {
    const { client, create } = await v1('stdio')
    const plain = {
      method: 'tools/call',
      params: { name: 'required', arguments: { gate: gate().gate } },
    } as const
    await expect(client.request(plain, CallToolResultSchema)).rejects.toMatchObject({ code: -32601 })
    await expect(create('never', { gate: gate().gate })).rejects.toMatchObject({ code: -32601 })
    await expect(create('get_cached_result', { ref_id: 'x' })).rejects.toMatchObject({ code: -32601 })
  })

  it('arguments that are no good are refused before there is a task', async () => {
    const { create } = await v1('stdio')
    await expect(create('job', { gate: 7 })).rejects.toMatchObject({ code: -32602 })
  })

  it('a call that asks for no task keeps its soft timeout', async () => {
    const { client } = await v1('stdio')
    const result = await client.callTool({ name: 'job', arguments: { gate: gate().gate } })
    expect(result.structuredContent).toMatchObject({ status: 'processing', is_async: true })
  })

  it('tasks/result gives back the error of JSON-RPC that the tool ended with', async () => {
    const { create, tasks } = await v1('stdio')
    const { gate: path, open } = gate()
    const { taskId } = await create('job', { gate: path })
    open({ rpc: { code: -32099, message: 'no quota', data: { left: 0 } } })
    await expect(tasks.getTaskResult(taskId, CallToolResultSchema)).rejects.toMatchObject({
      code: -32099,
      data: { left: 0 },
    })
    expect(await tasks.getTask(taskId)).toMatchObject({ status: 'failed', statusMessage: 'no quota' })
  })

  it('the task of another user looks like none at all', async () => {
    const [mine, other] = [await v1(server.sessions), await v1(server.sessions)]
    const { taskId } = await mine.create('job', { gate: gate().gate })
    const refusals = await Promise.all(
      [taskId, `jobs:${'0'.repeat(32)}`, 'nonsense'].flatMap(id =>
        [other.tasks.getTask(id), other.tasks.cancelTask(id), other.tasks.getTaskResult(id)].map(answer =>
          answer.then(
            () => 'answered',
            (error: { code: number; message: string }) => `${error.code} ${error.message}`,
          ),
        ),
      ),
    )
    expect(new Set(refusals).size).toBe(1)
    expect(refusals[0]).toContain('-32602')
  })

  it('callers over HTTP of whom nothing is known are shown no list', async () => {
    const { client, tasks } = await v1(server.url, { user: '' })
    await client.request(
      { method: 'tools/call', params: { name: 'job', arguments: { gate: gate().gate }, task: {} } },
      CreateTaskResultSchema,
    )
    expect(await tasks.listTasks()).toEqual({ tasks: [] })
  })

  it.each([
    ['HTTP without a session and a user', () => server.url, '', false],
    ['HTTP with a user', () => server.url, 'ada', true],
    ['HTTP with a session', () => server.sessions, '', true],
    ['stdio', () => 'stdio' as const, '', true],
  ])(
    'over %s the list of tasks is declared where callers can be told apart',
    async (_, where, user, isDeclared) => {
      const { client } = await v1(where(), { user })
      const { list, ...others } = client.getServerCapabilities()?.tasks ?? {}
      expect(list).toEqual(isDeclared ? {} : undefined)
      expect(others).toEqual({ cancel: {}, requests: { tools: { call: {} } } })
    },
  )

  it('a server ends with its client, also where that has a question open', async () => {
    const raw = new Raw(spawn(STDIO_SERVER.command, STDIO_SERVER.args))
    onTestFinished(() => void raw.child.kill('SIGKILL'))
    const clientInfo = { name: 'raw', version: '1' }
    const hello = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo }
    raw.send({ id: 1, method: 'initialize', params: hello })
    await raw.answer(1)
    raw.send({ method: 'notifications/initialized' })
    raw.send({ id: 2, method: 'tools/call', params: { name: 'greet', arguments: {}, task: {} } })
    await raw.answer(2)
    await expect.poll(() => raw.messages.find(({ method }) => method === 'elicitation/create')).toBeDefined()
    raw.child.stdin?.end()
    expect(await raw.exit).toEqual({ code: 0, signal: null })
  })
})
