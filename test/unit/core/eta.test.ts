import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { etaSeconds } from '../../../src/core/eta.ts'

describe('etaSeconds', () => {
  it('is the time that the rest takes at the pace so far', () => {
    expect(etaSeconds({ current: 15, total: 50 }, 0, 10_000)).toBe(23.3)
    expect(etaSeconds({ current: 50, total: 50 }, 0, 10_000)).toBe(0)
  })

  it.each([
    ['without progress', undefined],
    ['without a total', { current: 5 }],
    ['at current 0', { current: 0, total: 10 }],
    ['with a message alone', { message: 'working' }],
    ['with a total of 0', { current: 1, total: 0 }],
  ])('is absent %s', (_, progress) => {
    expect(etaSeconds(progress, 0, 10_000)).toBeUndefined()
  })

  it('is finite and not negative whatever is reported, past the total and back in time included', () => {
    const number = fc.double({ noNaN: false })
    fc.assert(
      fc.property(number, number, fc.integer(), fc.integer(), (current, total, startedAt, now) => {
        const eta = etaSeconds({ current, total }, startedAt, now)
        expect(eta === undefined || (Number.isFinite(eta) && eta >= 0)).toBe(true)
      }),
    )
  })
})
