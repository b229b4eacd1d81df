import { describe, expect, it, onTestFinished } from 'vitest'
import { type Actor, actor } from '../../../../src/access/actor.ts'
import type { PermissionChecker } from '../../../../src/access/decision.ts'
import { clientOf2025, clientOf2026 } from '../../../../src/agent/tasks/client.ts'
import { TaskService } from '../../../../src/agent/tasks/service.ts'
import type { JsonObject } from '../../../../src/core/json.ts'
import { RefCache } from '../../../../src/ref-cache.ts'
import { memoryStore } from '../../../../src/stores/memory.ts'
import type { Store } from '../../../../src/stores/store.ts'
import { FakeClock } from '../../../../src/testing/fake-clock.ts'

const extension = {
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}
const CLIENTS = [
  ['2025-11-25', clientOf2025()],
  ['2026-07-28', clientOf2026(extension)],
] as const

/** A service over a store and a permission checker that are counted. */
function scene() {
  const clock = new FakeClock()
  const counts = { get: 0, read: 0, check: 0 }
  const store = memoryStore()
  const { get, read } = store
  store.get = (...args: Parameters<Store['get']>) => {
    counts.get++
    return get.apply(store, args)
  }
  store.read = (...args: Parameters<Store['read']>) => {
    counts.read++
    return read.apply(store, args)
  }
  const permissionChecker: PermissionChecker = {
    check: () => {
      counts.check++
      return { allowed: true, rule: 'role' }
    },
  }
  const cache = new RefCache({ name: 't', clock, store, permissionChecker })
  onTestFinished(() => cache.close())
  const service = new TaskService(cache)
  const counted = async <T>(work: () => Promise<T>) => {
    Object.assign(counts, { get: 0, read: 0, check: 0 })
    const result = await work()
    return { result, ...counts }
  }
  const ask = (client: (typeof CLIENTS)[number][1], method: string, params: JsonObject, who?: Actor) =>
    service.answer(method, params, {
      client,
      actor: who ?? actor.agent({ id: 'ada' }),
      signal: new AbortController().signal,
    })
  return { clock, cache, counted, ask }
}

describe.each(CLIENTS)('requests about tasks of %s', (_revision, client) => {
  it('reads a finished task once, and authorizes once', async () => {
    const { cache, counted, ask } = scene()
    const { refId } = await cache.cached({ name: 'tool' }, () => ({ n: 1 }))({}, { actor: actor.agent() })
    const { result, read: _, ...costs } = await counted(() => ask(client, 'tasks/get', { taskId: refId }))
    expect(result).toMatchObject({ taskId: refId, status: 'completed' })
    expect(costs).toEqual({ get: 1, check: 1 })
  })

  it('reads the entry once of a task that runs', async () => {
    const { clock, cache, counted, ask } = scene()
    const tool = cache.cached({ name: 'tool', asyncTimeout: 0 }, () => new Promise(() => {}))
    const { refId } = await tool({}, { actor: actor.agent() })
    await clock.advance(0)
    const { result, get, read } = await counted(() => ask(client, 'tasks/get', { taskId: refId }))
    expect(result).toMatchObject({ taskId: refId, status: 'working' })
    expect({ get, read }).toEqual({ get: 1, read: 0 })
  })

  it.each([`t:${'0'.repeat(32)}`, 'nonsense', 7, undefined])('knows of no task %j', async taskId => {
    const { ask } = scene()
    const params = { ...(taskId === undefined ? {} : { taskId }) }
    await expect(ask(client, 'tasks/get', params)).rejects.toMatchObject({ code: 'not_found' })
  })

  it.each(['tasks/nonsense', 'toString', '__proto__'])('has no method %s', async method => {
    const { ask } = scene()
    await expect(ask(client, method, {})).rejects.toMatchObject({ rpc: { code: -32601 } })
  })
})

it('reads the result of a finished task once', async () => {
  const { cache, counted, ask } = scene()
  const { refId } = await cache.cached({ name: 'tool' }, () => ({ n: 1 }))({}, { actor: actor.agent() })
  const {
    result,
    read: _,
    ...costs
  } = await counted(() => ask(clientOf2025(), 'tasks/result', { taskId: refId }))
  expect(result).toMatchObject({ structuredContent: { value: { n: 1 } } })
  expect(costs).toEqual({ get: 1, check: 1 })
})

it('answers a client of the extension only when it declares that', async () => {
  const { ask } = scene()
  const silent = clientOf2026({})
  await expect(ask(silent, 'tasks/get', { taskId: 'x' })).rejects.toMatchObject({ rpc: { code: -32021 } })
})
