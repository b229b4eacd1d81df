import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cursorBetween, pageLimit, placeAt, placeOf, positionOf } from '../../../src/core/cursor.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { isRefOf } from '../../../src/core/ref.ts'

const cache = (fill: number, name = 'files') => ({ name, random: (size: number) => Buffer.alloc(size, fill) })
const ref = (number: bigint) => `files:${number.toString(16).padStart(32, '0')}`
const MAX = 2n ** 128n - 1n

describe('a cursor', () => {
  it('is a point from the last entry up to, and without, the next one', () => {
    const numbers = fc.bigInt({ min: 0n, max: MAX })
    fc.assert(
      fc.property(
        fc.tuple(numbers, numbers).filter(([a, b]) => a !== b),
        fc.integer({ min: 0, max: 255 }),
        ([a, b], fill) => {
          const [last, next] = a < b ? [a, b] : [b, a]
          const position = positionOf(cache(0), cursorBetween(cache(fill), ref(last), ref(next)))
          expect(isRefOf('files', position)).toBe(true)
          expect(position >= ref(last) && position < ref(next)).toBe(true)
        },
      ),
    )
  })

  it('is drawn anew each time from the whole gap, so that it tells neither entry', () => {
    const positions = [0x00, 0x55, 0xaa, 0xff].map(fill =>
      positionOf(cache(0), cursorBetween(cache(fill), ref(0n), ref(MAX))),
    )
    expect(new Set(positions).size).toBeGreaterThan(1)
    // More random bytes than the position has, else the lower half of a gap would be likelier.
    const sizes: number[] = []
    const random = (size: number) => {
      sizes.push(size)
      return new Uint8Array(size)
    }
    cursorBetween({ name: 'files', random }, ref(1n), ref(2n))
    expect(sizes[0]).toBeGreaterThan(16)
  })

  it('stays on the last entry where the next one follows at once', () => {
    for (const fill of [0, 1, 255]) {
      expect(positionOf(cache(0), cursorBetween(cache(fill), ref(7n), ref(8n)))).toBe(ref(7n))
    }
  })

  it('is short text that stands in a URL as it is', () => {
    expect(cursorBetween(cache(255), ref(0n), ref(MAX))).toMatch(/^[\w-]{27}$/)
  })
})

describe('what is no cursor of this list', () => {
  const cursor = cursorBetween(cache(3), ref(10n), ref(2n ** 100n))
  const damaged = Array.from(cursor, (_, at) => {
    const other = cursor[at] === 'A' ? 'B' : 'A'
    return cursor.slice(0, at) + other + cursor.slice(at + 1)
  })

  it.each<[string, unknown[]]>([
    ['nothing', ['', undefined, null]],
    ['no text', [7, {}, [cursor], Buffer.from(cursor)]],
    ['a cursor of another cache', [cursorBetween(cache(3, 'other'), ref(10n), ref(20n))]],
    ['one with a slip in it', damaged],
    ['another spelling', [`${cursor}=`, ` ${cursor}`, `${cursor}\n`, `${cursor}A`, `${cursor}`.slice(0, -1)]],
    ['something endless that begins as one', [cursor + 'A'.repeat(10_000), cursor + '='.repeat(100)]],
    ['a reference', [ref(10n)]],
  ])('is refused: %s', (_, given) => {
    for (const one of given) {
      expect(() => positionOf(cache(0), one)).toThrow(InvalidArgument)
      expect(() => positionOf(cache(0), one)).toThrow(/Begin again without one/)
    }
  })
})

describe('a cursor of a list that goes by time', () => {
  const place = { at: 1_764_268_000_123.5, refId: ref(2n ** 127n + 5n) }
  const cursor = placeAt(cache(0), place)

  it('is the place after an entry, to the last digit of its time and its reference', () => {
    expect(placeOf(cache(0), cursor)).toEqual(place)
    expect(cursor).toMatch(/^[\w-]{38}$/)
  })

  it('is none of another list, and another list’s is none of it', () => {
    const between = cursorBetween(cache(0), ref(1n), ref(9n))
    for (const read of [
      () => placeOf(cache(0, 'other'), cursor),
      () => placeOf(cache(0), between),
      () => positionOf(cache(0), cursor),
    ])
      expect(read).toThrow(/Begin again without one/)
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
