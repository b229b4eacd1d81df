import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { Quotas } from '../../../src/wrap/quotas.ts'
import { deferred } from '../flow/scene.ts'

/** Quotas of a caller that keeps so many bytes, which its calls add to. */
function scene(bytes: number, calls = 100) {
  const clock = new FakeClock()
  const kept = { bytes: 0 }
  let counted = 0
  const cache = {
    async stats() {
      counted++
      // To count takes a second: for ten more nobody counts again.
      await clock.advance('1s')
      return { valueBytes: kept.bytes } as never
    },
    unfinishedTasks: () => 0,
  }
  const quotas = new Quotas(cache, { sessions: 8, calls, bytes }, clock)
  const store = (of: number) =>
    quotas.store('user:ada', of, async () => {
      kept.bytes += of
    })
  return { clock, quotas, kept, store, counted: () => counted }
}

describe('quotas', () => {
  it('count a copy before it is written', async () => {
    const { store, kept } = scene(100)
    await store(60)
    await expect(store(60)).rejects.toMatchObject({
      code: 'store_full',
      message: expect.stringContaining('60 bytes, this one would take 60 more'),
    })
    expect(kept.bytes).toBe(60)
    await store(40)
    await expect(store(0)).rejects.toMatchObject({ code: 'store_full' })
  })

  it('count copies that are made at the same time', async () => {
    const { quotas } = scene(100)
    const written = deferred()
    const copies = [1, 2, 3].map(() => quotas.store('user:ada', 40, () => written.promise))
    const settled = Promise.allSettled(copies)
    written.resolve(undefined)
    expect((await settled).filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(2)
  })

  it('know between two counts what was stored since', async () => {
    const { store, counted, clock } = scene(100)
    await store(60)
    await store(30)
    await expect(store(20)).rejects.toMatchObject({ code: 'store_full' })
    expect(counted()).toBe(1)
    await clock.advance('20s')
    await store(10)
    expect(counted()).toBe(2)
  })

  it('forget what a call that failed was to store, and are for each caller', async () => {
    const { quotas } = scene(100)
    const fails = quotas.store('user:ada', 90, async () => Promise.reject(new Error('no')))
    await expect(fails).rejects.toThrow('no')
    await quotas.store('user:ada', 90, async () => {})
    await quotas.store('user:bob', 90, async () => {})
    await expect(quotas.store('user:ada', 90, async () => {})).rejects.toMatchObject({ code: 'store_full' })
  })

  it('hold as many calls at once, ours that store something too', async () => {
    const { quotas } = scene(100, 1)
    const running = deferred()
    const first = quotas.call('user:ada', () => running.promise)
    await expect(quotas.call('user:ada', async () => {})).rejects.toMatchObject({ code: 'queue_full' })
    running.resolve(undefined)
    await first
    await quotas.call('user:ada', async () => {})
  })
})
