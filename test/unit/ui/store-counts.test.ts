import { describe, expect, it } from 'vitest'
import { openInspector } from '../../../src/inspect/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { StoreCounts } from '../../../src/ui/server/store-counts.ts'

/** The counts of a store that takes so long to count. */
function counting(ms: number) {
  const clock = new FakeClock()
  const inspector = openInspector(memoryStore(), { clock })
  const asked = { times: 0, fails: false }
  const stats: typeof inspector.stats = async () => {
    asked.times++
    if (ms > 0) await new Promise<void>(resolve => clock.schedule(ms, resolve))
    if (asked.fails) throw new Error('away')
    return { caches: [] }
  }
  return { clock, asked, counts: new StoreCounts({ ...inspector, savings: async () => [], stats }, clock) }
}

describe('the counts of a store', () => {
  it('are taken once a second where that is quick, however often they are asked for', async () => {
    const { clock, asked, counts } = counting(0)
    expect(counts.isSlow).toBe(true)
    for (let n = 0; n < 5; n++) expect(await counts.get()).toMatchObject({ caches: [], savings: [] })
    expect([asked.times, counts.isSlow]).toEqual([1, false])
    await clock.advance('999ms')
    await counts.get()
    expect(asked.times).toBe(1)
    await clock.advance('1ms')
    await counts.get()
    expect(asked.times).toBe(2)
  })

  it('are old where a count takes long, until another one is there', async () => {
    const { clock, asked, counts } = counting(3_000)
    const first = counts.get()
    await clock.advance('150ms')
    expect(await first).toBeUndefined()
    await clock.advance('3s')
    // A minute after a count of three seconds.
    for (let second = 0; second < 65; second++) {
      expect(counts.isSlow, `after ${second} s`).toBe(true)
      await clock.advance('1s')
    }
    expect(asked.times).toBe(1)
    void counts.get()
    await clock.advance('150ms')
    expect([asked.times, counts.isSlow]).toEqual([2, true])
  })

  it('are taken again after one that failed', async () => {
    const { asked, counts } = counting(0)
    asked.fails = true
    await expect(counts.get()).rejects.toThrow('away')
    asked.fails = false
    expect(await counts.get()).toBeDefined()
  })
})
