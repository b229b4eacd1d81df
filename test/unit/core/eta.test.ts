import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { etaFromHistory, etaSeconds } from '../../../src/core/eta.ts'

describe('etaSeconds', () => {
  it('is the time that the rest takes at the speed so far', () => {
    expect(etaSeconds({ current: 15, total: 50 }, 10_000)).toBe(23.3)
    expect(etaSeconds({ current: 50, total: 50 }, 10_000)).toBe(0)
  })

  it('goes by the speed of late where that is known to differ', () => {
    expect(etaSeconds({ current: 15, total: 50 }, 10_000, 0.007)).toBe(5)
  })

  it.each([
    ['without progress', undefined],
    ['without a total', { current: 5 }],
    ['at current 0', { current: 0, total: 10 }],
    ['with a message alone', { message: 'working' }],
    ['with a total of 0', { current: 1, total: 0 }],
    ['with a total below 0', { current: 1, total: -1 }],
    ['below 0', { current: -1, total: 10 }],
    ['with a total alone', { total: 10 }],
  ])('is absent %s', (_, progress) => {
    expect(etaSeconds(progress, 10_000)).toBeUndefined()
  })

  it('is 0 past the total, and where no time has passed', () => {
    expect(etaSeconds({ current: 60, total: 50 }, 10_000)).toBe(0)
    expect(etaSeconds({ current: 1, total: 50 }, 0)).toBe(0)
    expect(etaSeconds({ current: 1, total: 50 }, -500)).toBe(0)
    expect(etaSeconds({ current: 1, total: 50 }, 10_000, 0)).toBeUndefined()
  })

  it('is absent without progress, also where its speed of late is known', () => {
    for (const progress of [
      undefined,
      {},
      { current: 0, total: 10 },
      { current: -1, total: 10 },
      { total: 10 },
    ])
      expect(etaSeconds(progress, 10_000, 0.01)).toBeUndefined()
  })

  it('is finite and not negative whatever is reported, past the total and back in time included', () => {
    const number = fc.double({ noNaN: false })
    fc.assert(
      fc.property(
        number,
        number,
        fc.integer(),
        fc.option(number, { nil: undefined }),
        (current, total, elapsed, pace) => {
          const eta = etaSeconds({ current, total }, elapsed, pace)
          expect(eta === undefined || (Number.isFinite(eta) && eta >= 0)).toBe(true)
        },
      ),
    )
  })
})

describe('etaFromHistory', () => {
  it('is the median of the runs that took longer than this one has, minus what has passed', () => {
    expect(etaFromHistory([10_000, 20_000, 30_000], 0)).toBe(20)
    expect(etaFromHistory([10_000, 20_000, 30_000], 15_000)).toBe(5)
  })

  it('is absent without history, and for a run that outlasts it', () => {
    expect(etaFromHistory(undefined, 0)).toBeUndefined()
    expect(etaFromHistory([10_000], 10_000)).toBeUndefined()
    expect(etaFromHistory([], 0)).toBeUndefined()
    expect(etaFromHistory([10_000, 20_000], 0)).toBe(10)
  })
})
