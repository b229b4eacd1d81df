import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { NotFound } from '../../src/core/errors.ts'
import type { GetOptions } from '../../src/flow/read/poll.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { ADAPTERS } from '../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { countingStore } from '../counting-store.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

let server: RedisServer | undefined
beforeAll(async () => {
  if (redisIsInstalled) server = await startRedis()
})
afterAll(() => server?.stop())

let prefixes = 0
const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const STORES: Array<[string, () => Store]> = [
  ['memory', () => memoryStore()],
  [
    'SQLite',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-traffic-'))
      ends.push(() => rmSync(folder, { recursive: true }))
      return sqliteStore(join(folder, 'cache.db'))
    },
  ],
  ...(redisIsInstalled
    ? [
        [
          'Redis',
          () => redisStore((server as RedisServer).url, { prefix: `traffic-${++prefixes}:` }),
        ] satisfies [string, () => Store],
      ]
    : []),
]

/** However slow the machine is, no step takes long. */
const swift: Clock = {
  now: () => systemClock.now(),
  monotonic: () => 0,
  schedule: (...args) => systemClock.schedule(...args),
}

/**
 * A store whose watchers hear of changes alone. On Redis they are also told to look when their subscription comes into force. Whether
 * that is within the call is chance, and no part of what a call costs.
 */
function withoutLooks(store: Store): Store {
  const watch: Store['watch'] = (refId, onChange) =>
    store.watch(refId, version => {
      if (version !== undefined) onChange(version)
    })
  return new Proxy(store, { get: (target, name) => (name === 'watch' ? watch : Reflect.get(target, name)) })
}

/** A cache whose store counts, and has been used before: it is open, and the time is agreed upon. */
async function scene(open: () => Store) {
  const { store, during } = countingStore(open())
  const cache = new RefCache({ name: 't', store: withoutLooks(store), clock: swift })
  ends.push(() => cache.close())
  await cache.set('first', 1)
  return { cache, store, during }
}

const double = (_: { rows: unknown }) => ['a', 'b']

describe.each(STORES)('on %s, the store is asked no more than need be', (_, open) => {
  it('for a memoized call that is won: the claim, which starts it, and the settlement', async () => {
    const { cache, during } = await scene(open)
    const tool = cache.cached({ name: 'double' }, double)
    const { operations, inSequence, outcome } = await during(() => tool({ rows: 1 }))
    expect(outcome).toMatchObject({ isComplete: true, value: ['a', 'b'] })
    expect(operations).toEqual(['claim', 'update'])
    expect(inSequence).toBe(2)
  })

  it('for a quick call that nobody could share: nothing, and with a reference its entry and its value', async () => {
    const { cache, during } = await scene(open)
    const tool = cache.cached({ name: 'double', memoize: false }, double)
    const quick = await during(() => tool({ rows: 1 }, { claim: 'late' }))
    expect(quick.outcome).toMatchObject({ isComplete: true, value: ['a', 'b'] })
    expect(quick.operations).toEqual([])
    const { refId } = await cache.set('rows', [1, 2, 3])
    expect((await during(() => tool({ rows: refId }, { claim: 'late' }))).operations).toEqual(['get', 'read'])
  })

  it('for a memoized call with a reference in its input: also its entry and its value', async () => {
    const { cache, during } = await scene(open)
    const tool = cache.cached({ name: 'double' }, double)
    const { refId } = await cache.set('rows', [1, 2, 3])
    const { operations, inSequence, outcome } = await during(() => tool({ rows: refId }))
    expect(outcome).toMatchObject({ isComplete: true, value: ['a', 'b'] })
    expect(operations).toEqual(['get', 'claim', 'read', 'update'])
    expect(inSequence).toBe(4)
  })

  it('for a hit: the claim', async () => {
    const { cache, during } = await scene(open)
    const tool = cache.cached({ name: 'double' }, double)
    await tool({ rows: 1 })
    const { operations, outcome } = await during(() => tool({ rows: 1 }))
    expect(outcome).toMatchObject({ isComplete: true, value: ['a', 'b'] })
    expect(operations).toHaveLength(1)
  })

  it('for a poll of a task in flight that this process runs, with and without a wait', async () => {
    const { cache, during } = await scene(open)
    let finish: (value: unknown) => void = () => {}
    const result = new Promise(resolve => {
      finish = resolve
    })
    const tool = cache.cached({ name: 'slow', asyncTimeout: 100 }, () => result)
    const { refId } = await tool({})
    const brief = await during(() => cache.get(refId))
    expect(brief.outcome).toMatchObject({ status: 'processing' })
    expect(brief.operations).toEqual(['get'])
    const waiting = await during(async () => {
      const answer = cache.get(refId, { wait: '10s' })
      setTimeout(finish, 50, [1])
      return answer
    })
    expect(waiting.outcome).toMatchObject({ status: 'complete', value: [1] })
    // The task settles meanwhile, which is the update; the poller is given what was settled.
    expect(waiting.operations).toEqual(['get', 'update'])
  })

  it('for a page of a held value, and for the answer to a poll of it: the entry', async () => {
    const { cache, during } = await scene(open)
    const tool = cache.cached({ name: 'many', preview: { maxSize: 50 } }, () => [...Array(500).keys()])
    const { refId } = await tool({})
    const asked: GetOptions[] = [{}, { page: 2 }, { page: 3, wait: '1s' }, { full: true }]
    for (const options of asked) {
      const { operations, outcome } = await during(() => cache.get(refId, options))
      expect(outcome.status).toBe('complete')
      expect(operations).toEqual(['get'])
    }
  })

  it('for the first answer to a poll of a run that is not memoized: also its value', async () => {
    const { cache, during } = await scene(open)
    const tool = cache.cached({ name: 'slow', memoize: false, asyncTimeout: 0 }, double)
    const { refId } = await tool({ rows: 1 })
    await vi.waitUntil(async () => (await cache.taskStatus(refId, { actor: 'agent' })).status === 'complete')
    const { operations, outcome } = await during(() => cache.get(refId))
    expect(outcome).toMatchObject({ value: ['a', 'b'] })
    expect(operations).toEqual(['get', 'read'])
  })

  it('for the state of a task: the entry', async () => {
    const { cache, during } = await scene(open)
    const { refId } = await cache.cached({ name: 'double' }, double)({ rows: 1 })
    expect((await during(() => cache[ADAPTERS].taskInfo(refId))).operations).toEqual(['get'])
    expect((await during(() => cache.taskStatus(refId))).operations).toEqual(['get'])
  })

  it('for a refusal: the entry, and another look that takes the time of an entry that is there', async () => {
    const { cache, during } = await scene(open)
    const { operations } = await during(() =>
      expect(cache.get(`t:${'0'.repeat(32)}`)).rejects.toBeInstanceOf(NotFound),
    )
    expect(operations).toEqual(['get', 'get'])
  })

  it('for a cancel: the entry, and its change', async () => {
    const { cache, during } = await scene(open)
    const tool = cache.cached({ name: 'slow', asyncTimeout: 100 }, () => new Promise(() => {}))
    const { refId } = await tool({})
    const { operations, outcome } = await during(() => cache.cancelTask(refId))
    expect(outcome.status).toBe('cancelled')
    expect(operations).toEqual(['get', 'update'])
  })
})
