import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { Duration } from '../../../src/core/duration.ts'
import type { Entry } from '../../../src/core/entry.ts'
import { Kept } from '../../../src/core/kept.ts'
import type { RefId } from '../../../src/core/ref.ts'
import { SourceCache } from '../../../src/flow/read/values.ts'
import { ThrownErrors } from '../../../src/flow/run/thrown.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { scene } from './scene.ts'

const id = (n: number) => `t:${n}` as RefId

describe('the decoded values of a cache', () => {
  /** What a store is asked to read tells whether a value was kept. */
  function counted() {
    const store = memoryStore()
    let reads = 0
    const read = store.read.bind(store)
    store.read = (refId, part) => {
      if (part === 'value') reads++
      return read(refId, part)
    }
    return { ...scene({ store, defaultTtl: '1h' }), reads: () => reads }
  }

  it('are bounded in memory: what was used least recently is loaded again, the latest is not', async () => {
    const values = new SourceCache(new FakeClock())
    const weight = 50 * 1024 * 1024
    let loaded = 0
    const load = async () => ({ sources: { n: ++loaded } as never, weight })
    const get = (n: number) => values.get({ refId: id(n) } as Entry, load)
    for (const n of [1, 2, 1, 3]) await get(n)
    expect([loaded, values.size]).toEqual([3, 2])
    await Promise.all([get(1), get(3)])
    expect(loaded).toBe(3)
    await Promise.all([get(2), get(2)])
    expect([loaded, values.size]).toEqual([4, 2])
  })

  it('weigh what they take: their text, and what was made of it', async () => {
    const put = vi.spyOn(Kept.prototype, 'put')
    const { cache } = counted()
    const value = Array.from({ length: 1_000 }, (_, n) => ({ n }))
    const { refId } = await cache.set('list', value)
    await cache.get(refId)
    const [, , weight] = put.mock.calls.find(([entry]) => entry.refId === refId) ?? []
    put.mockRestore()
    expect(weight).toBeGreaterThan(5 * JSON.stringify(value).length)
    await cache.close()
  })

  it('go with their entries: deleted, cleared, expired', async () => {
    const get = vi.spyOn(SourceCache.prototype, 'get')
    const { cache, clock } = counted()
    const read = async (ttl: Duration) => {
      const { refId } = await cache.set('a', [1, 2, 3], { ttl })
      await cache.get(refId)
      return refId
    }
    const deleted = await read('1h')
    const values = get.mock.contexts[0] as SourceCache
    get.mockRestore()
    expect(values.size).toBe(1)
    await cache.delete(deleted, { actor: actor.system() })
    expect(values.size).toBe(0)
    await read('1h')
    await cache.clear('public')
    expect(values.size).toBe(0)
    await read('10s')
    await clock.advance('30s')
    expect(values.size).toBe(0)
    await cache.close()
  })

  it('are bounded by count', async () => {
    const { cache, reads } = counted()
    const refs = []
    for (let each = 0; each < 1_001; each++) refs.push((await cache.set('small', each)).refId)
    for (const refId of refs) await cache.get(refId)
    expect(reads()).toBe(1_001)
    await cache.get(refs[1_000]!)
    expect(reads()).toBe(1_001)
    await cache.get(refs[0]!)
    expect(reads()).toBe(1_002)
    await cache.close()
  })

  it('are read again after a while without use, and after clear()', async () => {
    const { cache, clock, reads } = counted()
    const { refId } = await cache.set('a', [1, 2, 3])
    await cache.get(refId)
    await cache.get(refId)
    expect(reads()).toBe(1)
    await clock.advance('5m')
    await cache.get(refId)
    expect(reads()).toBe(2)
    await cache.clear('user:nobody')
    await cache.get(refId)
    expect(reads()).toBe(3)
    await cache.close()
  })
})

describe('listeners to errors', () => {
  it('takes errors that cannot be looked at', () => {
    const errors = new ThrownErrors(new FakeClock())
    const odd = new Proxy(new Error('odd'), {
      get() {
        throw new Error('do not look')
      },
    })
    const entry = { refId: id(1), attempt: 1 } as never
    errors.deliver(entry, odd, undefined)
    expect(errors.of(entry)).toBe(odd)
    errors.clear()
    expect(errors.of(entry)).toBeUndefined()
  })

  it('hear of the error until they end, and leave nothing behind then', () => {
    const errors = new ThrownErrors(new FakeClock())
    const [first, second] = [errors.listen(id(1)), errors.listen(id(1))]
    const entry = { refId: id(1), attempt: 1 } as never
    first.end()
    expect(errors.listenedTo).toBe(1)
    errors.deliver(entry, 'failure', undefined)
    expect([first.delivered, second.delivered]).toEqual([undefined, { error: 'failure' }])
    second.end()
    expect(errors.listenedTo).toBe(0)
    // Ended once more, when others listen.
    const third = errors.listen(id(1))
    second.end()
    errors.deliver(entry, 'again', undefined)
    expect([third.delivered, errors.listenedTo]).toEqual([{ error: 'again' }, 1])
  })

  it('are gone when a call or a poll is over, however it ended', async () => {
    const listen = vi.spyOn(ThrownErrors.prototype, 'listen')
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'work', asyncTimeout: '1s' }, async ({ fails }: { fails: boolean }) => {
      await new Promise<void>(resolve => clock.schedule(2_000, resolve))
      if (fails) throw new Error('no luck')
      return 'done'
    })
    const calls = [tool({ fails: true }), tool({ fails: false })]
    await clock.advance('1s')
    const polls = (await Promise.all(calls)).map(({ refId }) => cache.get(refId, { wait: '1m' }))
    const stopped = new AbortController()
    const [given] = await Promise.all(calls)
    const left = cache.get(given!.refId, { wait: '1m', signal: stopped.signal }).catch(() => {})
    await clock.advance(0)
    stopped.abort()
    await left
    await clock.advance('2s')
    await Promise.all(polls)
    const errors = listen.mock.contexts[0] as ThrownErrors
    expect(listen.mock.calls.length).toBeGreaterThanOrEqual(5)
    expect(errors.listenedTo).toBe(0)
    listen.mockRestore()
    await cache.close()
  })
})
