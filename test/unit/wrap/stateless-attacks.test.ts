import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import type { Channel } from '../../../src/wrap/channels/channel.ts'
import { notification, type RpcMessage } from '../../../src/wrap/rpc.ts'
import { Exchange } from '../../../src/wrap/stateless/exchange.ts'
import { SharedServer } from '../../../src/wrap/stateless/shared-server.ts'
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
  serverOf2026,
} from './stateless-scene.ts'

const text = (said: string) => ({ content: [{ type: 'text', text: said }] })
const log = notification('notifications/message', { level: 'warning', data: 'secret' })
const TASK = {
  taskId: 'task-of-alice',
  status: 'working',
  createdAt: '2026-01-15T12:00:00Z',
  lastUpdatedAt: '2026-01-15T12:00:00Z',
  ttlMs: 60_000,
}
const async0 = { defaults: { asyncTimeout: 0 as const }, tools: {} }

it('what a shared server logs is heard by the one caller that it works for, and by nobody where it is none', async () => {
  const channel: Channel = {
    onmessage: undefined,
    onclose: undefined,
    onerror: undefined,
    start: async () => {},
    send: async () => {},
    pause: () => {},
    resume: () => {},
    close: async () => {},
  }
  const server = new SharedServer(async () => channel)
  const heard: Record<string, RpcMessage[]> = { alice: [], bob: [] }
  const [alice, bob] = [server.channel(), server.channel()]
  alice.onmessage = message => heard.alice?.push(message)
  bob.onmessage = message => heard.bob?.push(message)
  for (const caller of [alice, bob]) await caller.start()
  channel.onmessage?.(log)
  expect(heard).toEqual({ alice: [], bob: [] })
  await alice.send({ jsonrpc: '2.0', id: 'a1', method: 'tools/call' })
  channel.onmessage?.(log)
  expect(heard).toEqual({ alice: [log], bob: [] })
})

it('a stranger hears nothing of work that somebody else has left running, and no log that it has not asked for', async () => {
  const play = serverOf2026(({ method, id, params }, say) => {
    if (params?.name === 'slow') return undefined
    if (method === 'resources/read') say(log)
    say({ jsonrpc: '2.0', id, result: { resultType: 'complete', contents: [] } })
    return undefined
  })
  const { url, servers } = await openWrapper(play, { wrap: { settings: async0 } })
  const read = async (logLevel?: string) => {
    const asked = logLevel === undefined ? {} : { logLevel }
    return messagesOf(await post(url, 'resources/read', { uri: 'file:///a' }, asked))
  }
  expect((await read('info')).map(({ method }) => method)).toEqual(['notifications/message', undefined])
  expect(await read()).toHaveLength(1)
  expect(await read('error')).toHaveLength(1)
  await call(url, 'slow')
  await eventually(() => expect(servers[0]?.some(({ params }) => params?.name === 'slow')).toBe(true))
  expect(await read('info')).toHaveLength(1)
})

it('a retry counts as a call of its subject', async () => {
  const play = serverOf2026(({ params }) =>
    params?.name === 'bad' ? { ...text('no'), isError: true } : undefined,
  )
  const tokens = { subjectOf: () => 'alice' }
  const quota = { sessions: 8, calls: 1, bytes: 1e9 }
  const { url } = await openWrapper(play, { wrap: { settings: async0, quota }, listen: { tokens } })
  const as = { headers: { authorization: 'Bearer a' } }
  const ref = { ref_id: bodyOf(await call(url, 'bad', {}, as)).ref_id }
  const failed = await call(url, 'get_cached_result', ref, as)
  expect(failed.result.isError).toBe(true)
  expect(bodyOf(await call(url, 'slow', {}, as)).ref_id).toBeDefined()
  const retried: Message = await call(url, 'retry_task', ref, as)
  expect(bodyOf(retried).error?.code).toBe('queue_full')
})

it('a task of a shared server is for the subject that it was given to, and for nobody else', async () => {
  const plain = serverOf2026(({ method, params }) => {
    if (method === 'tools/call') return { resultType: 'task', ...TASK }
    return method === 'tasks/get' ? { ...TASK, taskId: params?.taskId, statusMessage: 'secret' } : {}
  })
  const { url, servers } = await openWrapper(
    (message, say, line) => {
      if (message.method !== 'server/discover') return plain(message, say, line)
      const capabilities = { tools: {}, ...EXTENSION }
      const found = { supportedVersions: ['2026-07-28'], capabilities, ttlMs: 0, cacheScope: 'private' }
      say({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ...found } })
    },
    {
      wrap: { settings: { defaults: { cache: false }, tools: {} } },
      listen: { tokens: { subjectOf: token => token } },
    },
  )
  const as = (who: string) => ({ capabilities: EXTENSION, headers: { authorization: `Bearer ${who}` } })
  const { taskId } = TASK
  expect((await call(url, 'slow', {}, as('alice'))).result.taskId).toBe(taskId)
  expect((await ask(url, 'tasks/get', { taskId }, as('alice'))).result.statusMessage).toBe('secret')
  const heard = servers[0]?.length
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    for (const asked of [taskId, 'unknown']) {
      const params = { taskId: asked, ...(method === 'tasks/update' ? { inputResponses: { a: {} } } : {}) }
      expect((await ask(url, method, params, as('bob'))).error).toMatchObject({ code: -32602 })
    }
  }
  const listening = new AbortController()
  const listen = { notifications: { taskIds: [taskId] } }
  const left = post(url, 'subscriptions/listen', listen, { ...as('bob'), signal: listening.signal })
  await eventually(() => expect(servers[0]?.length).toBeGreaterThanOrEqual(heard ?? 0))
  await ask(url, 'resources/read', { uri: 'file:///a' }, as('bob'))
  listening.abort()
  await left.catch(() => {})
  const about = servers[0]
    ?.slice(heard)
    .map(({ params }) => JSON.stringify([params?.taskId, params?.notifications]))
  expect(about?.filter(said => said.includes(taskId))).toEqual([])
})

it('a client that does not read has left: what others are told does not pile up for it', async () => {
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    writableLength: 0,
    writableHighWaterMark: 16_384,
    writeHead: () => response,
    write: (chunk: string) => {
      response.writableLength += chunk.length
      return false
    },
    destroy: () => {
      response.destroyed = true
      response.emit('close')
    },
  })
  const request = { jsonrpc: '2.0' as const, id: 1, method: 'tools/call' }
  const exchange = new Exchange(request, response as unknown as ServerResponse)
  let hasLeft = false
  exchange.onLeave = () => {
    hasLeft = true
  }
  const megabyte = notification('notifications/message', { data: 'x'.repeat(1024 * 1024) })
  for (let sent = 0; sent < 40 && !hasLeft; sent++) exchange.send(megabyte).catch(() => {})
  expect(hasLeft).toBe(true)
  expect(response.writableLength).toBeLessThan(20 * 1024 * 1024)
})
