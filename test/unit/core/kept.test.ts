import { describe, expect, it } from 'vitest'
import { Kept } from '../../../src/core/kept.ts'
import type { RefId } from '../../../src/core/ref.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

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

  it('weighs what is there: what was dropped or replaced makes room', () => {
    const { own, put } = kept({ maxWeight: 10 })
    put(1, 6)
    put(1, 4)
    put(2, 6)
    expect([own.get(id(1)), own.get(id(2))]).toEqual([1, 2])
    own.drop(id(2))
    own.drop(id(7))
    put(3, 6)
    expect([own.get(id(1)), own.get(id(3))]).toEqual([1, 3])
    own.clear()
    put(4, 5)
    put(5, 5)
    expect(own.size).toBe(2)
    put(6, 1)
    expect([4, 5, 6].map(n => own.get(id(n)))).toEqual([undefined, 5, 6])
  })

  it('may hold just as many, and as much, as the limit', () => {
    const { own, put } = kept({ maxCount: 3, maxWeight: 9 })
    for (const n of [1, 2, 3]) put(n, 3)
    expect(own.size).toBe(3)
    // Whoever was asked for twice in a row is still the last one used.
    own.get(id(1))
    own.get(id(1))
    put(4, 3)
    expect([1, 2, 3, 4].map(n => own.get(id(n)))).toEqual([1, undefined, 3, 4])
  })

  it('goes at its very moment: of expiry, and of idleness, which no set clock moves', async () => {
    const { clock, own, put } = kept({ idleMs: 1_000 })
    put(1, 1, clock.now() + 500)
    put(2)
    await clock.advance(499)
    own.sweep()
    expect(own.size).toBe(2)
    await clock.advance(1)
    own.sweep()
    expect([own.get(id(1)), own.size]).toEqual([undefined, 1])
    clock.jump(10_000_000)
    await clock.advance(499)
    own.sweep()
    expect(own.size).toBe(1)
    await clock.advance(1)
    own.sweep()
    expect(own.size).toBe(0)
  })
})
