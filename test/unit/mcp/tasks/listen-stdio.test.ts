import { InMemoryTransport, type JSONRPCMessage, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { expect, it, onTestFinished } from 'vitest'
import type { RefId } from '../../../../src/core/ref.ts'
import { attachRefCache, withTaskNotificationsOnStdio } from '../../../../src/mcp/index.ts'
import { RefCache } from '../../../../src/ref-cache.ts'

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

function meta(extensions: object = { 'io.modelcontextprotocol/tasks': {} }) {
  return {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': { extensions },
  }
}

/** A server on a wrapped transport, and its wire from the client's end. */
async function wire(maxSubscriptions = 10) {
  const cache = new RefCache({ name: 't' })
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  const serving = serveStdio(
    () => {
      const server = new McpServer({ name: 'test', version: '1.0.0' })
      attachRefCache(server, cache)
      return server
    },
    { transport: withTaskNotificationsOnStdio(serverSide), maxSubscriptions },
  )
  const got: JSONRPCMessage[] = []
  clientSide.onmessage = message => void got.push(message)
  await clientSide.start()
  onTestFinished(async () => {
    await serving.close()
    await cache.close()
  })
  const send = (message: object) => clientSide.send({ jsonrpc: '2.0', ...message } as JSONRPCMessage)
  const listen = (id: string, taskIds: unknown, _meta = meta()) =>
    send({ id, method: 'subscriptions/listen', params: { notifications: { taskIds }, _meta } })
  let finish: (value: string) => void = () => {}
  const tool = cache.cached(
    { name: 'tool', asyncTimeout: 0, memoize: false },
    () =>
      new Promise<string>(resolve => {
        finish = resolve
      }),
  )
  const start = async (): Promise<RefId> => {
    const { refId } = await tool({})
    // The work has begun when there is something to finish.
    await expect.poll(async () => (await cache.taskStatus(refId)).status).toBe('processing')
    return refId
  }
  return { got, serverSide, send, listen, start, finish: (value: string) => finish(value) }
}

const acknowledgement = (id: string, notifications: object) => ({
  jsonrpc: '2.0',
  method: 'notifications/subscriptions/acknowledged',
  params: { notifications, _meta: { [SUBSCRIPTION]: id } },
})

it('acknowledges those tasks that the client may follow, and tells how they stand and end', async () => {
  const { got, listen, start, finish } = await wire()
  const taskId = await start()
  await listen('one', [taskId, 'nonsense'])
  await expect.poll(() => got).toHaveLength(2)
  expect(got[0]).toEqual(acknowledgement('one', { taskIds: [taskId] }))
  finish('done')
  await expect.poll(() => got).toHaveLength(4)
  expect(got.slice(1)).toMatchObject([
    {
      method: 'notifications/tasks',
      params: { taskId, status: 'working', _meta: { [SUBSCRIPTION]: 'one' } },
    },
    { method: 'notifications/tasks', params: { taskId, status: 'completed' } },
    // There are no more tasks to tell of.
    { id: 'one', result: { resultType: 'complete', _meta: { [SUBSCRIPTION]: 'one' } } },
  ])
})

it('leaves a subscription without tasks to the SDK', async () => {
  const { got, send } = await wire()
  const params = { notifications: { toolsListChanged: true }, _meta: meta() }
  await send({ id: 'plain', method: 'subscriptions/listen', params })
  await expect.poll(() => got).toEqual([acknowledgement('plain', { toolsListChanged: true })])
})

it('refuses clients that do not declare the extension, and lists that are none', async () => {
  const { got, listen } = await wire()
  await listen('undeclared', ['x'], meta({}))
  await listen('wrong', 'x')
  await expect
    .poll(() => got)
    .toMatchObject([
      {
        id: 'undeclared',
        error: {
          code: -32021,
          data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
        },
      },
      { id: 'wrong', error: { code: -32602 } },
    ])
})

it('says nothing more of a subscription that the client has ended', async () => {
  const { got, listen, send, start, finish } = await wire()
  const taskId = await start()
  await listen('left', [taskId])
  await listen('kept', [taskId])
  await expect.poll(() => got).toHaveLength(4)
  await send({ method: 'notifications/cancelled', params: { requestId: 'left', _meta: meta() } })
  finish('done')
  await expect.poll(() => got).toHaveLength(6)
  expect(got[5]).toMatchObject({ id: 'kept' })
  expect(got[4]).toMatchObject({ params: { status: 'completed', _meta: { [SUBSCRIPTION]: 'kept' } } })
})

it('gives the place of a subscription back when its tasks have settled', async () => {
  const { got, listen, start, finish } = await wire(1)
  for (const id of ['one', 'two', 'three']) {
    await listen(id, [await start()])
    await expect.poll(() => got.at(-1)).toMatchObject({ params: { status: 'working' } })
    finish('done')
    await expect.poll(() => got.at(-1)).toMatchObject({ id, result: { resultType: 'complete' } })
  }
})

it('begins no subscription that is cancelled while its acknowledgement is being written', async () => {
  const { got, serverSide, listen, send, start } = await wire()
  const taskId = await start()
  const write = serverSide.send.bind(serverSide)
  let written = () => {}
  serverSide.send = async (...given) => {
    await write(...given)
    await new Promise<void>(resolve => {
      written = resolve
    })
  }
  await listen('left', [taskId])
  await expect.poll(() => got).toHaveLength(1)
  await send({ method: 'notifications/cancelled', params: { requestId: 'left', _meta: meta() } })
  serverSide.send = write
  written()
  await listen('kept', [taskId])
  await expect.poll(() => got).toHaveLength(3)
  expect(got.slice(1)).toMatchObject([
    acknowledgement('kept', { taskIds: [taskId] }),
    { params: { status: 'working', _meta: { [SUBSCRIPTION]: 'kept' } } },
  ])
})
