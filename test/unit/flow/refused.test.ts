import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CacheEvent } from '../../../src/core/events.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const STORES: Array<[string, () => Store]> = [
  ['memory', () => memoryStore({ maxEntries: 100 })],
  [
    'SQLite',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-refused-'))
      folders.push(folder)
      return sqliteStore(join(folder, 'cache.db'))
    },
  ],
]

/** A cache whose one place is taken. */
async function full(store: Store) {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock, store, maxConcurrentTasks: 1, maxQueuedTasks: 0 })
  const heard: CacheEvent[] = []
  cache.on('call:refused', event => heard.push(event))
  const work = vi.fn(({ n }: { n: number }) => n)
  const tool = cache.cached({ name: 'work', namespace: 'public' }, work)
  const known = await tool({ n: 0 })
  await cache.cached({ name: 'stuck', asyncTimeout: 0 }, () => new Promise(() => {}))({})
  await clock.advance(0)
  return { cache, clock, tool, work, heard, known }
}

describe.each(STORES)('a call that is refused by a full queue, on %s', (_, open) => {
  it('leaves nothing, however many there are at once, and is told', async () => {
    const store = open()
    const { cache, tool, work, heard } = await full(store)
    const kept = await Promise.all(Array.from({ length: 60 }, (_, n) => cache.set(`kept ${n}`, n)))
    const before = await store.list({ cacheName: 't', limit: 1_000 })
    const calls = await Promise.allSettled(Array.from({ length: 300 }, (_, n) => tool({ n: n + 1 })))
    for (const call of calls) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'queue_full' } })
      expect((call as PromiseRejectedResult).reason).not.toHaveProperty('refId')
    }
    expect(await store.list({ cacheName: 't', limit: 1_000 })).toEqual(before)
    for (const { refId } of kept) expect(await cache.exists(refId)).toBe(true)
    expect(heard).toHaveLength(300)
    expect(heard[0]).toEqual({
      type: 'call:refused',
      toolName: 'work',
      namespace: 'public',
      errorCode: 'queue_full',
    })
    expect(work).toHaveBeenCalledTimes(1)
    await cache.close()
  })

  it('is refused alike for all who make it at once, in every process', async () => {
    const store = open()
    const { cache, clock, tool } = await full(store)
    const other = new RefCache({ name: 't', clock, store, maxConcurrentTasks: 1, maxQueuedTasks: 0 })
    const elsewhere = other.cached({ name: 'work' }, ({ n }: { n: number }) => n)
    await other.cached({ name: 'stuck', asyncTimeout: 0, memoize: false }, () => new Promise(() => {}))({})
    const calls = await Promise.allSettled([tool, tool, elsewhere, elsewhere].map(call => call({ n: 1 })))
    for (const call of calls) expect(call).toMatchObject({ reason: { code: 'queue_full' } })
    await cache.close()
  })

  it('is no call that is a hit, or joins what another process runs', async () => {
    const store = open()
    const { cache, clock, tool, known, heard } = await full(store)
    expect(await tool({ n: 0 })).toMatchObject({ status: 'complete', refId: known.refId })
    const other = new RefCache({ name: 't', clock, store })
    const running = await other.cached(
      { name: 'work', asyncTimeout: 0 },
      (_: { n: number }) => new Promise<number>(() => {}),
    )({ n: 7 })
    expect(await tool({ n: 7 }, { asyncTimeout: 0 })).toMatchObject({ refId: running.refId })
    expect(heard).toEqual([])
    await cache.close()
  })
})

it('hits and joined calls keep no place', async () => {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock, maxConcurrentTasks: 1, maxQueuedTasks: 0 })
  const tool = cache.cached({ name: 'work' }, ({ n }: { n: number }) => n)
  await tool({ n: 1 })
  const answers = await Promise.all([tool({ n: 1 }), tool({ n: 2 })])
  expect(answers).toMatchObject([{ value: 1 }, { value: 2 }])
  expect(await tool({ n: 3 })).toMatchObject({ value: 3 })
})

it('a call whose claim fails gives its place back', async () => {
  const store = memoryStore()
  const cache = new RefCache({
    name: 't',
    clock: new FakeClock(),
    store,
    maxConcurrentTasks: 1,
    maxQueuedTasks: 0,
  })
  const tool = cache.cached({ name: 'work' }, ({ n }: { n: number }) => n)
  vi.spyOn(store, 'claim').mockRejectedValueOnce(new Error('away'))
  await expect(tool({ n: 1 })).rejects.toThrow('away')
  expect(await tool({ n: 1 })).toMatchObject({ value: 1 })
})

it('a retry that is refused leaves its entry as it was, and is told', async () => {
  const store = memoryStore()
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock, store, maxConcurrentTasks: 1, maxQueuedTasks: 0 })
  const heard = vi.fn()
  cache.on('call:refused', heard)
  const bad = cache.cached({ name: 'bad', asyncTimeout: 0 }, () => Promise.reject(new Error('no')))
  const { refId } = await bad({})
  await clock.advance(0)
  await cache.cached({ name: 'stuck', asyncTimeout: 0 }, () => new Promise(() => {}))({})
  const before = await store.get(refId)
  await expect(cache.retryTask(refId)).rejects.toMatchObject({ code: 'queue_full' })
  expect(await store.get(refId)).toEqual(before)
  expect(heard).toHaveBeenCalledWith(
    expect.objectContaining({ refId, toolName: 'bad', errorCode: 'queue_full' }),
  )
})
