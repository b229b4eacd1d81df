import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cursorAt, type ListPlace, pageLimit, placeAt, placeBetween } from '../../../src/core/cursor.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { isRefOf } from '../../../src/core/ref.ts'

const cache = (fill: number, name = 'files') => ({ name, random: (size: number) => Buffer.alloc(size, fill) })
const ref = (number: bigint) => `files:${number.toString(16).padStart(32, '0')}`
const place = (createdAt: number, number: bigint): ListPlace => ({ createdAt, refId: ref(number) })
const compare = (one: ListPlace, other: ListPlace) =>
  one.createdAt - other.createdAt || (one.refId < other.refId ? -1 : one.refId > other.refId ? 1 : 0)
const MAX = 2n ** 128n - 1n
const NOW = 1_764_268_000_123.5

describe('a cursor', () => {
  it('is a place, to the last digit of its time and its reference', () => {
    const there = place(NOW, 2n ** 127n + 5n)
    expect(placeAt(cache(0), cursorAt(cache(0), there))).toEqual(there)
  })

  it('is short text that stands in a URL as it is', () => {
    expect(cursorAt(cache(255), place(NOW, MAX))).toMatch(/^[\w-]{38}$/)
  })
})

describe('a place between two entries', () => {
  const times = fc.double({ min: 0, max: 1e13, noNaN: true })
  const numbers = fc.bigInt({ min: 0n, max: MAX })
  const places = fc.tuple(times, numbers).map(([time, number]) => place(time, number))
  const sameTime = fc.tuple(times, numbers, numbers).map(([time, a, b]) => [place(time, a), place(time, b)])

  it('is from the older one, without it, up to the newer one', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(places, places), sameTime).filter(([a, b]) => compare(a!, b!) !== 0),
        fc.integer({ min: 0, max: 255 }),
        (pair, fill) => {
          const [next, last] = [...pair].sort(compare) as [ListPlace, ListPlace]
          const between = placeBetween(cache(fill), last, next)
          expect(isRefOf('files', between.refId)).toBe(true)
          expect(compare(between, next)).toBeGreaterThan(0)
          expect(compare(between, last)).toBeLessThanOrEqual(0)
        },
      ),
    )
  })

  it('is drawn anew each time from the whole gap, so that it tells neither entry', () => {
    for (const [last, next] of [
      [place(NOW, MAX), place(NOW, 0n)],
      [place(NOW, 5n), place(NOW - 1_000, 7n)],
    ] as const) {
      const drawn = [0x20, 0x55, 0xaa, 0xfe].map(fill =>
        cursorAt(cache(0), placeBetween(cache(fill), last, next)),
      )
      expect(new Set(drawn).size).toBe(4)
    }
    // More random bytes than an id has, else the lower half of a gap would be likelier.
    const sizes: number[] = []
    const random = (size: number) => {
      sizes.push(size)
      return new Uint8Array(size)
    }
    placeBetween({ name: 'files', random }, place(NOW, 2n), place(NOW, 1n))
    expect(Math.max(...sizes)).toBeGreaterThan(16)
  })

  it('is the newer one where the older one follows at once', () => {
    for (const fill of [0, 1, 255]) {
      expect(placeBetween(cache(fill), place(NOW, 8n), place(NOW, 7n))).toEqual(place(NOW, 8n))
    }
  })
})

describe('what is no cursor of this list', () => {
  const cursor = cursorAt(cache(3), place(NOW, 2n ** 100n))
  const damaged = Array.from(cursor, (_, at) => {
    const other = cursor[at] === 'A' ? 'B' : 'A'
    return cursor.slice(0, at) + other + cursor.slice(at + 1)
  })

  it.each<[string, unknown[]]>([
    ['nothing', ['', undefined, null]],
    ['no text', [7, {}, [cursor], Buffer.from(cursor)]],
    ['a cursor of another cache', [cursorAt(cache(3, 'other'), place(NOW, 10n))]],
    ['one with a slip in it', damaged],
    ['another spelling', [`${cursor}=`, ` ${cursor}`, `${cursor}\n`, `${cursor}A`, `${cursor}`.slice(0, -1)]],
    ['something endless that begins as one', [cursor + 'A'.repeat(10_000), cursor + '='.repeat(100)]],
    ['a reference', [ref(10n)]],
  ])('is refused: %s', (_, given) => {
    for (const one of given) {
      expect(() => placeAt(cache(0), one)).toThrow(InvalidArgument)
      expect(() => placeAt(cache(0), one)).toThrow(/Begin again without one/)
    }
  })
})

describe('the length of a page', () => {
  it('is 50, or what was asked for up to 200', () => {
    expect([undefined, 1, 200, 201, 5_000].map(pageLimit)).toEqual([50, 1, 200, 200, 200])
  })

  it('is a whole number from 1 on', () => {
    for (const asked of [0, -1, 1.5, Number.NaN]) expect(() => pageLimit(asked)).toThrow(/limit/)
  })
})
