import { describe, expect, it } from 'vitest'
import { type Duration, toLimit, toMilliseconds, toPositiveMilliseconds } from '../../../src/core/duration.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'

describe('durations', () => {
  it.each<[Duration, number]>([
    [0, 0],
    [1500, 1500],
    ['250ms', 250],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    [' 5s ' as Duration, 5_000],
    ['12.25m', 735_000],
    ['365000d', 31_536_000_000_000],
  ])('%j is %d ms', (duration, ms) => {
    expect(toMilliseconds(duration, 'ttl')).toBe(ms)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', '5 minutes', '', '-5s', {}, true, null])(
    'refuses %j and names the option',
    duration => {
      expect(() => toMilliseconds(duration as Duration, 'ttl')).toThrow(/ttl must be milliseconds/)
    },
  )

  it.each([9e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, '400000d'] as Duration[])(
    'refuses %j, which is beyond any Date, and says what to give instead',
    duration => {
      expect(() => toMilliseconds(duration, 'ttl')).toThrow(
        /^ttl must be at most 1000 years .* null means never/,
      )
    },
  )

  it.each([[-1], [Number.NaN], [1n], [Symbol('s')], [Object.create(null)], ['x'.repeat(10_000)]])(
    'tells in a line what was given, whatever it is',
    given => {
      const refused = (() => toMilliseconds(given as Duration, 'ttl')).bind(undefined)
      expect(refused).toThrow(InvalidArgument)
      expect(refused).toThrow(/^.{1,200}$/)
    },
  )

  it.each<[unknown, string]>([
    ['5x', '"5x"'],
    ['x5s', '"x5s"'],
    ['5sx', '"5sx"'],
    ['5.s', '"5.s"'],
    [-1, '-1'],
    [undefined, 'undefined'],
    [{}, 'a value of type object'],
    ['x'.repeat(50), `"${'x'.repeat(40)}"`],
  ])('shows what was given in place of one: %j', (given, shown) => {
    expect(() => toMilliseconds(given as Duration, 'ttl')).toThrow(new RegExp(`'7d'; got ${shown}\\.$`))
  })

  it('refuses 0 where work could then never run', () => {
    expect(() => toPositiveMilliseconds(0, 'hardTimeout')).toThrow(
      /hardTimeout must be longer than 0.*null means no limit/,
    )
    expect(toPositiveMilliseconds('30d', 'hardTimeout')).toBe(2_592_000_000)
  })

  it('takes null for never where a limit is meant', () => {
    expect(toLimit(null, 'ttl')).toBeUndefined()
    expect(toLimit('1s', 'ttl')).toBe(1000)
  })
})
