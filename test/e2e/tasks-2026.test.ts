import { randomUUID } from 'node:crypto'
import type { ClientCapabilities } from '@modelcontextprotocol/client'
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { envelope, TASKS } from './fixtures/task-client.ts'
import {
  type Connected,
  gate,
  overHttp,
  overStdio,
  post,
  startTasksServer,
  type TasksServer,
} from './fixtures/tasks-clients.ts'

let server: TasksServer
beforeAll(async () => {
  server = await startTasksServer()
})
afterAll(() => server.close())

const TRANSPORTS: Record<string, () => Promise<Connected>> = {
  HTTP: () => overHttp(server.url, 'auto', { user: randomUUID() }),
  stdio: () => overStdio('auto'),
}

describe.each(Object.entries(TRANSPORTS))(
  'the task client of ext-tasks, 2026-07-28 over %s',
  (_, connect) => {
    it('is answered at once where the work ends within the grace', async () => {
      const { session } = await connect()
      const execution = await session.callTool('echo', { text: 'hello' })
      expect(execution.kind).toBe('immediate')
      const { outcome } = await execution.settle()
      expect(resultFromTaskOutcome(outcome).structuredContent).toMatchObject({ value: { text: 'hello' } })
    })

    it('is given a task for slow work, its progress, and then just what the call would have answered', async () => {
      const { session } = await connect()
      const { gate: path, open } = gate()
      const execution = await session.callTool('job', { gate: path })
      expect(execution.kind).toBe('task')
      if (execution.kind !== 'task') return
      const view = await session.task(execution.handle.taskId).snapshot()
      expect(view).toMatchObject({ status: 'working', statusMessage: expect.stringContaining('half of it') })
      expect(view.suggestedPollIntervalMs).toBeGreaterThanOrEqual(500)
      open({ value: { n: 1 } })
      const { outcome } = await execution.settle()
      const result = resultFromTaskOutcome(outcome)
      expect(result).toMatchObject({
        resultType: 'complete',
        structuredContent: { ref_id: execution.handle.taskId, status: 'complete', value: { n: 1 } },
      })
      expect(result._meta ?? {}).not.toHaveProperty('io.modelcontextprotocol/related-task')
    })

    it('sees a tool that fails as completed, with an error in the result', async () => {
      const { session } = await connect()
      const { gate: path, open } = gate()
      const execution = await session.callTool('job', { gate: path })
      open({ error: 'the disk is full' })
      const { outcome } = await execution.settle()
      const result = resultFromTaskOutcome(outcome)
      expect(result).toMatchObject({ isError: true })
      const error = { code: 'task_failed', message: 'the disk is full' }
      expect(result.content).toEqual([{ type: 'text', text: JSON.stringify({ error }) }])
    })

    it('sees an error of JSON-RPC as failed, with that error', async () => {
      const { session } = await connect()
      const { gate: path, open } = gate()
      const execution = await session.callTool('job', { gate: path })
      open({ rpc: { code: -32099, message: 'no quota', data: { left: 0 } } })
      const { outcome } = await execution.settle()
      expect(outcome).toMatchObject({
        status: 'failed',
        error: { code: -32099, message: 'no quota', data: { left: 0 } },
      })
    })

    it('can cancel a task', async () => {
      const { session } = await connect()
      const execution = await session.callTool('job', { gate: gate().gate })
      await execution.cancel()
      const { outcome } = await execution.settle()
      expect(outcome.status).toBe('cancelled')
    })

    it('is asked in the middle of the work, by elicitation and by sampling', async () => {
      const { session } = await connect()
      const results = await Promise.all(
        ['greet', 'think'].map(async name => {
          const { outcome } = await (await session.callTool(name)).settle()
          return resultFromTaskOutcome(outcome).structuredContent
        }),
      )
      expect(results).toMatchObject([{ value: 'Hello, Ada!' }, { value: '42' }])
    })
  },
)

interface WireOptions {
  readonly user?: string
  readonly capabilities?: ClientCapabilities
}

describe('on the wire of 2026-07-28', () => {
  const request = (
    method: string,
    params: object,
    { user = `${randomUUID()}`, capabilities = TASKS }: WireOptions = {},
  ) =>
    post(server.url, { method, params: { ...params, _meta: envelope(capabilities) } } as never, {
      authorization: `Bearer ${user}`,
    })
  const call = (name: string, args: object, options?: Parameters<typeof request>[2]) =>
    request('tools/call', { name, arguments: args }, options)
  const undeclared = { elicitation: {}, sampling: {} }

  async function createTask(user: string, tool = 'job') {
    const held = gate()
    const { result } = await call(tool, { gate: held.gate }, { user })
    return { ...held, task: result as { taskId: string } & Record<string, unknown> }
  }

  it('CreateTaskResult is flat, and a tasks/get right behind it finds the task', async () => {
    const user = randomUUID()
    const { task } = await createTask(user)
    expect(task).toMatchObject({
      resultType: 'task',
      taskId: expect.stringMatching(/^jobs:[0-9a-f]{32}$/),
      status: 'working',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lastUpdatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      ttlMs: null,
      pollIntervalMs: expect.any(Number),
    })
    for (const foreign of [
      'task',
      'result',
      'error',
      'inputRequests',
      'requestState',
      'ttl',
      'structuredContent',
    ]) {
      expect(task).not.toHaveProperty(foreign)
    }
    const { result } = await request('tasks/get', { taskId: task.taskId }, { user })
    expect(result).toMatchObject({ resultType: 'complete', taskId: task.taskId, status: 'working' })
  })

  it('a settled task says until when it is kept, and asks nobody to poll on', async () => {
    const user = randomUUID()
    const { task, open } = await createTask(user)
    open({ value: { n: 3 } })
    await expect
      .poll(async () => (await request('tasks/get', { taskId: task.taskId }, { user })).result)
      .toMatchObject({ status: 'completed', ttlMs: expect.any(Number) })
    const { result } = await request('tasks/get', { taskId: task.taskId }, { user })
    expect((result as { ttlMs: number }).ttlMs).toBeGreaterThan(3_000_000)
    expect(result).not.toHaveProperty('pollIntervalMs')
  })

  it('a client that declares no tasks is given a handle by the soft timeout, never a task', async () => {
    const { result } = await call('job', gate(), { capabilities: undeclared })
    expect(result).toMatchObject({ resultType: 'complete', structuredContent: { status: 'processing' } })
    expect(result).not.toHaveProperty('taskId')
  })

  it('a client that declares no tasks is refused by the methods of tasks, and by tools that need them', async () => {
    const missing = {
      error: {
        code: -32021,
        data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
      },
    }
    const { task } = await createTask('somebody')
    const options = { user: 'somebody', capabilities: undeclared }
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update']) {
      expect(await request(method, { taskId: task.taskId }, options)).toMatchObject(missing)
    }
    expect(await call('required', gate(), options)).toMatchObject(missing)
  })

  it('a tool that is never a task answers as to any other client', async () => {
    const { result } = await call('never', gate())
    expect(result).toMatchObject({ resultType: 'complete', structuredContent: { is_async: true } })
  })

  it('the task of another user looks like none at all', async () => {
    const { task } = await createTask(randomUUID())
    const taskId = task.taskId
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update']) {
      const foreign = await request(method, { taskId })
      const unknown = await request(method, { taskId: `jobs:${'0'.repeat(32)}` })
      const malformed = await request(method, { taskId: 'nonsense' })
      expect(foreign.error).toMatchObject({ code: -32602 })
      expect([unknown.error, malformed.error]).toEqual([foreign.error, foreign.error])
    }
  })

  it('tasks/list and tasks/result are not of this revision', async () => {
    for (const method of ['tasks/list', 'tasks/result']) {
      expect(await request(method, { taskId: 'x' })).toMatchObject({ error: { code: -32601 } })
    }
  })

  it('a plain client polls the very same task by its reference', async () => {
    const user = randomUUID()
    const { task, open } = await createTask(user)
    open({ value: { n: 4 } })
    const { result } = await call(
      'get_cached_result',
      { ref_id: task.taskId, wait_seconds: 20 },
      { user, capabilities: undeclared },
    )
    expect(result).toMatchObject({ structuredContent: { status: 'complete', value: { n: 4 } } })
  })

  it('a question stands in tasks/get until it has its answer; answers to what is not asked are passed over', async () => {
    const user = randomUUID()
    const { gate: path, open } = gate()
    const { result } = await call('greet', { gate: path }, { user })
    const { taskId } = result as { taskId: string }
    open({ value: 1 })
    const get = async () =>
      (await request('tasks/get', { taskId }, { user })).result as { inputRequests: object }
    await expect.poll(get).toMatchObject({ status: 'input_required' })
    const { inputRequests } = await get()
    expect(inputRequests).toEqual({
      'elicit-1': {
        method: 'elicitation/create',
        params: expect.objectContaining({ message: 'What is your name?' }),
      },
    })
    const update = (inputResponses: object) => request('tasks/update', { taskId, inputResponses }, { user })
    expect(await update({ other: { action: 'accept' } })).toMatchObject({
      result: { resultType: 'complete' },
    })
    expect(await get()).toMatchObject({ status: 'input_required', inputRequests })
    await update({ 'elicit-1': { action: 'decline' } })
    await expect.poll(get).toMatchObject({
      status: 'completed',
      result: { structuredContent: { value: 'Nobody: decline' } },
    })
  })

  it('a tool that asks within the grace is answered with its question, and goes on when the call comes again with the answer', async () => {
    const user = randomUUID()
    const { result } = await call('greet', {}, { user })
    expect(result).toMatchObject({ resultType: 'input_required' })
    expect(result).not.toHaveProperty('taskId')
    const { inputRequests } = result as { inputRequests: Record<string, object> }
    const [[key = '', question] = []] = Object.entries(inputRequests)
    expect(question).toMatchObject({
      method: 'elicitation/create',
      params: { message: 'What is your name?' },
    })
    const again = (answer: object, as: string = user) => {
      const params = { name: 'greet', arguments: {}, inputResponses: { [key]: answer } }
      return request('tools/call', params, { user: as })
    }
    const answer = { action: 'accept', content: { name: 'Ada' } }
    // Nobody else can answer it, and no answer is taken that is not what was asked for.
    expect(await again(answer, 'somebody else')).toMatchObject({ error: { code: -32602 } })
    expect(await again({ action: 'accept', content: { name: 7 } })).toMatchObject({ error: { code: -32602 } })
    expect(await again(answer)).toMatchObject({
      result: { resultType: 'complete', structuredContent: { value: 'Hello, Ada!' } },
    })
  })

  it('answers to a task are an object of what was asked for, and nothing else', async () => {
    const user = randomUUID()
    const { gate: path, open } = gate()
    const { result } = await call('greet', { gate: path }, { user })
    const { taskId } = result as { taskId: string }
    open({ value: 1 })
    const get = async () => (await request('tasks/get', { taskId }, { user })).result
    await expect.poll(get).toMatchObject({ status: 'input_required' })
    const accept = (content: unknown) => ({ 'elicit-1': { action: 'accept', content } })
    for (const inputResponses of [
      'yes',
      ['yes'],
      7,
      null,
      {},
      { 'elicit-1': 'yes' },
      { 'elicit-1': { action: 'maybe' } },
      accept('Ada'),
      accept({ name: 7 }),
      accept({}),
    ]) {
      const update = await request('tasks/update', { taskId, inputResponses }, { user })
      expect(update, JSON.stringify(inputResponses)).toMatchObject({ error: { code: -32602 } })
    }
    expect(await request('tasks/update', { taskId }, { user })).toMatchObject({ error: { code: -32602 } })
    expect(await get()).toMatchObject({ status: 'input_required' })
    await request('tasks/update', { taskId, inputResponses: accept({ name: 'Ada' }) }, { user })
    await expect.poll(get).toMatchObject({ status: 'completed' })
  })

  it.each([
    ['has nobody to ask', {}],
    ['has only a model to ask', { sampling: {} }],
  ])('a client that %s makes the handler find another way, or fail', async (_, asked) => {
    const capabilities = { ...asked, extensions: TASKS.extensions }
    const { result } = await call('greet', {}, { capabilities } as WireOptions)
    expect(result).toMatchObject({
      isError: true,
      structuredContent: {
        error: { code: 'task_failed', message: expect.stringContaining('cannot be asked') },
      },
    })
  })
})
