import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { CacheEvent } from '../../../src/core/events.ts'
import { set } from '../../../src/flow/call/set.ts'
import { clear, remove } from '../../../src/flow/control/delete.ts'
import { Sweeper } from '../../../src/flow/control/sweep.ts'
import { poll } from '../../../src/flow/read/poll.ts'
import { createEngine } from '../../../src/ref-cache-engine.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, scene } from './scene.ts'

const STORES: Readonly<Record<string, () => Store>> = {
  memory: memoryStore,
  SQLite: () => {
    const directory = mkdtempSync(`${tmpdir()}/refcache-`)
    onTestFinished(() => rmSync(directory, { recursive: true }))
    return sqliteStore(`${directory}/cache.db`)
  },
}

/** One process of a cache, and what it keeps of values beside the store. */
async function processOf(store: Store) {
  const clock = new FakeClock()
  const { signal } = new AbortController()
  const engine = createEngine({ name: 't', clock, store }, { closing: signal, stopping: signal })
  onTestFinished(() => engine.store.close())
  const told: CacheEvent[] = []
  engine.events.on('entry:deleted', event => told.push(event))
  const put = async (label: string, namespace: string) => {
    const { refId } = await set(engine, label, [label], { namespace, ttl: '1m' })
    await poll(engine, refId, { actor: actor.system() })
    return refId
  }
  const [mine, other] = [await put('mine', 'user:ada'), await put('other', 'public')]
  expect(engine.sources.size).toBe(2)
  return { clock, engine, told, mine, other }
}

describe.each(Object.entries(STORES))(
  'what is removed from %s takes along what the process kept of it',
  (_, open) => {
    it('by delete', async () => {
      const { engine, told, mine } = await processOf(open())
      await remove(engine, mine, actor.system())
      expect(told).toEqual([{ type: 'entry:deleted', refId: mine, namespace: 'user:ada', reason: 'deleted' }])
      expect(engine.sources.size).toBe(1)
    })

    it('by clear', async () => {
      const { engine, told, mine, other } = await processOf(open())
      expect(await clear(engine, 'user:ada')).toBe(1)
      expect(told).toEqual([{ type: 'entry:deleted', refId: mine, namespace: 'user:ada', reason: 'cleared' }])
      expect(await clear(engine, undefined)).toBe(1)
      expect(told[1]).toEqual({ type: 'entry:deleted', refId: other, namespace: 'public', reason: 'cleared' })
      expect(engine.sources.size).toBe(0)
    })

    it('by a sweep, when it has expired', async () => {
      const { clock, engine, told, mine, other } = await processOf(open())
      const sweeper = new Sweeper(engine)
      await sweeper.sweep()
      expect(told).toEqual([])
      await clock.advance('2m')
      await sweeper.sweep()
      expect(told.map(({ refId }) => refId).sort()).toEqual([mine, other].sort())
      expect(told).toMatchObject([{ reason: 'expired' }, { reason: 'expired' }])
      expect(engine.sources.size).toBe(0)
    })
  },
)

it('a sweep tells of the entries of its own cache alone', async () => {
  const store = memoryStore()
  const { engine, clock, told } = await processOf(store)
  const neighbour = createEngine(
    { name: 'neighbour', clock, store },
    { closing: engine.closing, stopping: engine.stopping },
  )
  await set(neighbour, 'theirs', 1, { ttl: '1m' })
  await clock.advance('2m')
  await new Sweeper(engine).sweep()
  expect(told).toHaveLength(2)
  expect(await store.list({ cacheName: 'neighbour' })).toEqual([])
})

it('work whose entry was cleared is told to stop', async () => {
  const { cache } = scene()
  const stopped = deferred<unknown>()
  const tool = cache.cached({ name: 'endless', asyncTimeout: 0 }, (_: Record<string, never>, { signal }) => {
    signal.addEventListener('abort', () => stopped.resolve(signal.reason))
    return stopped.promise
  })
  await tool({})
  await new Promise(resolve => setImmediate(resolve))
  expect(await cache.clear()).toBe(1)
  expect(await stopped.promise).toMatchObject({ code: 'task_cancelled' })
  await cache.close()
})
