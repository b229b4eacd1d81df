import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { redisIsInstalled, startRedis } from '../redis-server.ts'
import { envelope, type Message, TASKS } from './fixtures/task-client.ts'
import {
  type Connected,
  gate,
  overHttp,
  overStdio,
  post,
  posting,
  startTasksServer,
  type TasksServer,
} from './fixtures/tasks-clients.ts'
import { NOTIFICATIONS, type NotificationRequirement } from './tasks-notifications.ts'

/** Every requirement of `tasks-notifications.ts`, with the SDK's own `listen`, and on the wire. */

let server: TasksServer
beforeAll(async () => {
  server = await startTasksServer()
})
afterAll(() => server.close())

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
const tested = new Set<NotificationRequirement>()

function requirement(name: NotificationRequirement, test: () => Promise<void>): void {
  tested.add(name)
  const { from, section, says } = NOTIFICATIONS[name]
  it(`${says} (${from}: ${section})`, test)
}

/** The SDK's client as the task client of ext-tasks has it, and all that it is notified of. */
function listening({ client, session }: Connected) {
  const heard: Message[] = []
  client.fallbackNotificationHandler = async message => void heard.push(message as Message)
  const create = async (tool: string, args: Record<string, string> = {}) => {
    const execution = await session.callTool(tool, args)
    if (execution.kind !== 'task') throw new Error('no task')
    // The client follows it by notifications alone.
    await execution.detach()
    return execution.handle.taskId
  }
  const listen = (...taskIds: string[]) => client.listen({ taskIds } as Parameters<typeof client.listen>[0])
  const tasks = (taskId: string) =>
    heard.flatMap(({ method, params }) =>
      method === 'notifications/tasks' && params?.taskId === taskId ? [params] : [],
    )
  return { client, session, heard, create, listen, tasks }
}

const TRANSPORTS: Record<string, () => Promise<Connected>> = {
  HTTP: () => overHttp(server.url, 'auto', { user: randomUUID(), capabilities: TASKS }),
  stdio: () => overStdio('auto', { capabilities: TASKS }),
}

describe.each(Object.entries(TRANSPORTS))('notifications of tasks, 2026-07-28 over %s', (_, connect) => {
  requirement('each-change', async () => {
    const { create, listen, tasks } = listening(await connect())
    const { gate: path, open } = gate()
    const taskId = await create('job', { gate: path })
    await listen(taskId)
    await expect.poll(() => tasks(taskId).at(-1)).toMatchObject({ status: 'working' })
    open({ value: { n: 1 } })
    await expect
      .poll(() => tasks(taskId).at(-1))
      .toMatchObject({ status: 'completed', result: { structuredContent: { value: { n: 1 } } } })
  })

  requirement('input-required', async () => {
    const { create, listen, tasks, session } = listening(await connect())
    const { gate: path, open } = gate()
    const taskId = await create('greet', { gate: path })
    await listen(taskId)
    open({ value: 1 })
    await expect
      .poll(() => tasks(taskId).at(-1))
      .toMatchObject({
        status: 'input_required',
        inputRequests: { 'elicit-1': { method: 'elicitation/create' } },
      })
    await session.task(taskId as never).update({ 'elicit-1': { action: 'accept', content: { name: 'Ada' } } })
    await expect
      .poll(() => tasks(taskId).at(-1))
      .toMatchObject({ status: 'completed', result: { structuredContent: { value: 'Hello, Ada!' } } })
  })

  requirement('failed', async () => {
    const { create, listen, tasks } = listening(await connect())
    const [broken, failing] = [gate(), gate()]
    const [one, two] = [
      await create('job', { gate: broken.gate }),
      await create('job', { gate: failing.gate }),
    ]
    await listen(one, two)
    broken.open({ rpc: { code: -32099, message: 'no quota' } })
    failing.open({ error: 'the disk is full' })
    await expect
      .poll(() => tasks(one).at(-1))
      .toMatchObject({ status: 'failed', error: { code: -32099, message: 'no quota' } })
    await expect
      .poll(() => tasks(two).at(-1))
      .toMatchObject({ status: 'completed', result: { isError: true } })
  })

  requirement('cancelled', async () => {
    const { create, listen, tasks, session } = listening(await connect())
    const taskId = await create('job', { gate: gate().gate })
    await listen(taskId)
    await session.task(taskId as never).cancel()
    await expect.poll(() => tasks(taskId).at(-1)).toMatchObject({ status: 'cancelled' })
  })

  requirement('nothing-else', async () => {
    const { create, listen, heard, tasks } = listening(await connect())
    const { gate: path, open } = gate()
    const taskId = await create('job', { gate: path })
    await listen(taskId)
    open({ value: { n: 1 } })
    await expect.poll(() => tasks(taskId).at(-1)).toMatchObject({ status: 'completed' })
    expect(new Set(heard.map(({ method }) => method))).toEqual(new Set(['notifications/tasks']))
  })

  requirement('stamped', async () => {
    const { create, listen, tasks } = listening(await connect())
    const taskId = await create('job', { gate: gate().gate })
    await Promise.all([listen(taskId), listen(taskId)])
    const ids = () =>
      new Set(tasks(taskId).map(({ _meta }) => (_meta as Record<string, unknown>)[SUBSCRIPTION]))
    await expect.poll(() => ids().size).toBe(2)
    expect([...ids()].every(id => typeof id === 'string')).toBe(true)
  })

  requirement('ended', async () => {
    const { client, create, listen, tasks } = listening(await connect())
    const { gate: path, open } = gate()
    const taskId = await create('job', { gate: path })
    const left = await listen(taskId)
    await listen(taskId)
    await left.close()
    // On stdio the end is a message like others: whoever answers this has read it.
    await client.listTools()
    open({ value: { n: 1 } })
    await expect.poll(() => tasks(taskId).filter(({ status }) => status === 'completed').length).toBe(1)
  })
})

/** One stream of `subscriptions/listen`, as it goes over the wire. */
async function stream(url: URL, notifications: object, user: string, capabilities = TASKS) {
  const leave = new AbortController()
  onTestFinished(() => leave.abort())
  const id = randomUUID()
  const request = {
    id,
    method: 'subscriptions/listen',
    params: { notifications, _meta: envelope(capabilities) },
  }
  const init = posting(request as Message, { authorization: `Bearer ${user}` })
  const response = await fetch(url, { ...init, signal: leave.signal })
  const messages: Message[] = []
  const ended = (async () => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      messages.push(...lines.filter(line => line.startsWith('data:')).map(line => JSON.parse(line.slice(5))))
    }
    if (text) messages.push(JSON.parse(text))
  })()
  ended.catch(() => {})
  return { id, response, messages, ended }
}

async function createTask(url: URL, user: string, tool = 'job') {
  const held = gate()
  const params = { name: tool, arguments: { gate: held.gate }, _meta: envelope() }
  const { result } = await post(url, { method: 'tools/call', params }, { authorization: `Bearer ${user}` })
  return { ...held, taskId: (result as { taskId: string }).taskId }
}

describe('on the wire of subscriptions/listen', () => {
  const get = async (taskId: string, user: string) => {
    const request = { method: 'tasks/get', params: { taskId, _meta: envelope() } }
    return (await post(server.url, request, { authorization: `Bearer ${user}` })).result as Record<
      string,
      unknown
    >
  }

  requirement('acknowledged', async () => {
    const user = randomUUID()
    const { taskId } = await createTask(server.url, user)
    const foreign = await createTask(server.url, randomUUID())
    const taskIds = [taskId, foreign.taskId, `jobs:${'0'.repeat(32)}`, 'nonsense', 'ünsinn\n', taskId]
    const { messages, id } = await stream(server.url, { taskIds }, user)
    await expect
      .poll(() => messages[0])
      .toEqual({
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { taskIds: [taskId] }, _meta: { [SUBSCRIPTION]: id } },
      })
  })

  requirement('detailed', async () => {
    const user = randomUUID()
    const { taskId, open } = await createTask(server.url, user)
    const { messages, ended, id } = await stream(server.url, { taskIds: [taskId] }, user)
    open({ value: { n: 1 } })
    await ended
    const { _meta, resultType, ...polled } = await get(taskId, user)
    expect(messages[0]).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
    const last = messages.findLast(({ method }) => method === 'notifications/tasks')
    expect(last?.params).toEqual({ ...polled, _meta: { [SUBSCRIPTION]: id } })
  })

  requirement('polling', async () => {
    const user = randomUUID()
    const { taskId } = await createTask(server.url, user)
    await stream(server.url, { taskIds: [taskId] }, user)
    expect(await get(taskId, user)).toMatchObject({ status: 'working' })
  })

  requirement('undeclared', async () => {
    const user = randomUUID()
    const { taskId } = await createTask(server.url, user)
    const { response, messages, ended } = await stream(server.url, { taskIds: [taskId] }, user, {
      elicitation: {},
    })
    await ended
    expect(response.status).toBe(400)
    expect(messages).toMatchObject([
      {
        error: {
          code: -32021,
          data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
        },
      },
    ])
  })

  requirement('authorized', async () => {
    const { taskId, open } = await createTask(server.url, randomUUID())
    const { messages, ended } = await stream(server.url, { taskIds: [taskId] }, randomUUID())
    open({ value: { n: 1 } })
    await ended
    expect(JSON.stringify(messages)).not.toContain(taskId)
    expect(messages).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } },
      { result: { resultType: 'complete' } },
    ])
  })

  requirement('others', async () => {
    const user = randomUUID()
    const { taskId, open } = await createTask(server.url, user)
    const { messages } = await stream(server.url, { taskIds: [taskId], toolsListChanged: true }, user)
    open({ value: { n: 1 } })
    await expect.poll(() => messages.at(-1)).toMatchObject({ params: { status: 'completed' } })
    expect(messages[0]).toMatchObject({
      params: { notifications: { taskIds: [taskId], toolsListChanged: true } },
    })
    expect(messages.some(({ result }) => result !== undefined)).toBe(false)
  })

  it('a stream of nothing but tasks ends, answered, when the last of them has settled', async () => {
    const user = randomUUID()
    const [one, two] = [await createTask(server.url, user), await createTask(server.url, user)]
    const { messages, ended, id } = await stream(server.url, { taskIds: [one.taskId, two.taskId] }, user)
    one.open({ value: { n: 1 } })
    await expect.poll(() => messages.at(-1)).toMatchObject({ params: { status: 'completed' } })
    two.open({ value: { n: 2 } })
    await ended
    expect(messages.at(-1)).toMatchObject({ id, result: { resultType: 'complete' } })
  })

  it('a list of task ids that is none, or too long, is refused', async () => {
    for (const taskIds of ['x', [7], Array.from({ length: 101 }, () => 'x')]) {
      const { messages, ended } = await stream(server.url, { taskIds }, randomUUID())
      await ended
      expect(messages).toMatchObject([{ error: { code: -32602 } }])
    }
  })

  it('every requirement is tested', () => {
    expect([...tested].sort()).toEqual(Object.keys(NOTIFICATIONS).sort())
  })
})

describe.skipIf(!redisIsInstalled)('two servers on one Redis', () => {
  it('a task of one is polled, listened to and cancelled on the other', async () => {
    const redis = await startRedis()
    const servers = await Promise.all([1, 2].map(() => startTasksServer({ TASKS_REDIS: redis.url })))
    onTestFinished(async () => {
      await Promise.all(servers.map(one => one.close()))
      await redis.stop()
    })
    const [first, second] = servers as [TasksServer, TasksServer]
    const user = randomUUID()
    const authorization = { authorization: `Bearer ${user}` }
    const on = async (url: URL, method: string, taskId: string) =>
      (await post(url, { method, params: { taskId, _meta: envelope() } }, authorization)).result

    const finished = await createTask(first.url, user)
    const heard = await stream(second.url, { taskIds: [finished.taskId] }, user)
    expect(await on(second.url, 'tasks/get', finished.taskId)).toMatchObject({ status: 'working' })
    finished.open({ value: { n: 1 } })
    await heard.ended
    expect(heard.messages.at(-2)).toMatchObject({
      method: 'notifications/tasks',
      params: { status: 'completed', result: { structuredContent: { value: { n: 1 } } } },
    })

    const cancelled = await createTask(first.url, user)
    const alsoHeard = await stream(first.url, { taskIds: [cancelled.taskId] }, user)
    expect(await on(second.url, 'tasks/cancel', cancelled.taskId)).toMatchObject({ resultType: 'complete' })
    await alsoHeard.ended
    expect(alsoHeard.messages.at(-2)).toMatchObject({ params: { status: 'cancelled' } })
    expect(await on(first.url, 'tasks/get', cancelled.taskId)).toMatchObject({ status: 'cancelled' })
  })
})
