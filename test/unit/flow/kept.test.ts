import { describe, expect, it } from 'vitest'
import type { RefId } from '../../../src/core/ref.ts'
import { Kept } from '../../../src/flow/read/kept.ts'
import { ThrownErrors } from '../../../src/flow/run/thrown.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { scene } from './scene.ts'

const id = (n: number) => `t:${n}` as RefId

function kept(limits: { maxCount?: number; maxWeight?: number; idleMs?: number } = {}) {
  const clock = new FakeClock()
  const own = new Kept<number>(clock, { maxCount: 1_000, maxWeight: 1_000, idleMs: 60_000, ...limits })
  const put = (n: number, weight = 1, expiresAt?: number) => own.put({ refId: id(n), expiresAt }, n, weight)
  return { clock, own, put }
}

describe('what a process keeps beside the store', () => {
  it('is bounded by count; what was used least recently goes first', () => {
    const { own, put } = kept({ maxCount: 2 })
    put(1)
    put(2)
    own.get(id(1))
    put(3)
    expect([1, 2, 3].map(n => own.get(id(n)))).toEqual([1, undefined, 3])
  })

  it('is bounded by weight; the latest stays whatever it weighs', () => {
    const { own, put } = kept({ maxWeight: 10 })
    put(1, 6)
    put(2, 6)
    expect(own.size).toBe(1)
    put(3, 1_000)
    expect(own.get(id(3))).toBe(3)
    put(4, 1)
    expect([own.size, own.get(id(4))]).toEqual([1, 4])
  })

  it('goes when its entry expires, and when nobody asks for it', async () => {
    const { clock, own, put } = kept()
    put(1, 1, clock.now() + 10_000)
    put(2)
    put(3)
    await clock.advance('30s')
    own.sweep()
    expect(own.size).toBe(2)
    own.get(id(3))
    await clock.advance('40s')
    own.sweep()
    expect([own.get(id(2)), own.get(id(3))]).toEqual([undefined, 3])
    own.drop(id(3))
    put(4, 5)
    own.clear()
    expect(own.size).toBe(0)
  })

  it('takes errors that cannot be looked at', () => {
    const errors = new ThrownErrors(new FakeClock())
    const odd = new Proxy(new Error('odd'), {
      get() {
        throw new Error('do not look')
      },
    })
    const entry = { refId: id(1), attempt: 1 } as never
    errors.tell(entry, odd, undefined)
    expect(errors.of(entry)).toBe(odd)
    errors.clear()
    expect(errors.of(entry)).toBeUndefined()
  })
})

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
