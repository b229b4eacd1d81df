import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidArgument, ValueTooLarge } from '../../../src/core/errors.ts'
import { retryDelay, retryPolicy } from '../../../src/core/retry-policy.ts'

describe('retries', () => {
  it('wait delay × factor^(n − 1), at most a minute, the upper half of it random', () => {
    const policy = retryPolicy({ maxRetries: 9 })
    expect([1, 2, 3, 7, 20].map(n => retryDelay(policy, n, 0.999999))).toEqual([
      1000, 2000, 4000, 60_000, 60_000,
    ])
    expect([1, 2, 3].map(n => retryDelay(policy, n, 0))).toEqual([500, 1000, 2000])
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.9999, noNaN: true }),
        (n, random) => {
          const delay = retryDelay(policy, n, random)
          expect(delay >= 0 && delay <= 60_000).toBe(true)
        },
      ),
    )
  })

  it('are off unless asked for, and not for what would fail again', () => {
    expect(retryPolicy({}).maxRetries).toBe(0)
    const { retryable } = retryPolicy({ maxRetries: 1 })
    expect(retryable(new Error('503'))).toBe(true)
    expect(retryable(new ValueTooLarge('big'))).toBe(false)
  })

  it.each([
    { maxRetries: -1 },
    { maxRetries: 1.5 },
    { retryBackoffFactor: 0.5 },
    { retryBackoffFactor: Number.NaN },
    { retryDelay: -1 },
  ])('refuse %j', options => {
    expect(() => retryPolicy(options)).toThrow(InvalidArgument)
  })
})
