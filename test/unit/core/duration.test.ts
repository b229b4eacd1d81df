import { describe, expect, it } from 'vitest'
import { type Duration, toLimit, toMilliseconds } from '../../../src/core/duration.ts'

describe('durations', () => {
  it.each<[Duration, number]>([
    [0, 0],
    [1500, 1500],
    ['250ms', 250],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('%j is %d ms', (duration, ms) => {
    expect(toMilliseconds(duration, 'ttl')).toBe(ms)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', '5 minutes', '', '-5s', {}, true, null])(
    'refuses %j and names the option',
    duration => {
      expect(() => toMilliseconds(duration as Duration, 'ttl')).toThrow(/ttl must be milliseconds/)
    },
  )

  it('takes null for never where a limit is meant', () => {
    expect(toLimit(null, 'ttl')).toBeUndefined()
    expect(toLimit('1s', 'ttl')).toBe(1000)
  })
})
