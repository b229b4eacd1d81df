import { describe, expect, it } from 'vitest'
import { hasEqualMembers } from '../../../src/core/equal.ts'

describe('hasEqualMembers', () => {
  const limits = { tokens: 8_000, reads: ['content'] }

  it.each([
    [{}, {}],
    [
      { a: 1, b: undefined },
      { b: undefined, a: 1 },
    ],
    [{ limits }, { limits: structuredClone(limits) }],
  ])('holds for %j and %j', (one, other) => expect(hasEqualMembers(one, other)).toBe(true))

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, {}],
    [{ a: undefined }, { b: undefined }],
    [{ a: undefined }, { b: 1 }],
    [{ limits }, { limits: { ...limits, tokens: 1 } }],
    [{ limits }, { limits: undefined }],
    [{ a: null }, { a: {} }],
    [{ a: null }, { a: Number.NaN }],
    [{ a: Number.POSITIVE_INFINITY }, { a: Number.NEGATIVE_INFINITY }],
  ])('does not hold for %j and %j', (one, other) => {
    expect(hasEqualMembers(one, other)).toBe(false)
    expect(hasEqualMembers(other, one)).toBe(false)
  })
})
