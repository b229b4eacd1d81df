import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ErrorCode, InvalidArgument, QueueFull, ValueTooLarge } from '../../../src/core/errors.ts'
import { canRetry, isFinal, retryDelay, retryPolicy, timeUntil } from '../../../src/core/retry-policy.ts'

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

describe('an error that can only happen again', () => {
  it.each<[ErrorCode, boolean, boolean]>([
    ['invalid_argument', true, false],
    ['not_serializable', true, false],
    ['circular_reference', true, false],
    ['value_too_large', true, false],
    ['not_found', true, false],
    ['input_unavailable', true, false],
    ['store_full', false, false],
    ['task_failed', false, true],
    ['hard_timeout', false, true],
    ['worker_lost', false, true],
    ['store_unavailable', false, true],
    ['protocol_error', false, true],
  ])('%s: %s, so a retry by hand is offered: %s', (code, final, retriable) => {
    expect([isFinal(code), canRetry(code)]).toEqual([final, retriable])
  })

  it('is one of ours: an error of somebody else may be worth another try whatever its code', () => {
    const { retryable } = retryPolicy({ maxRetries: 1 })
    expect(retryable(Object.assign(new Error('x'), { code: 'not_found' }))).toBe(true)
    expect([retryable(undefined), retryable(new QueueFull('x'))]).toEqual([true, true])
  })
})

describe('the options of retries', () => {
  it('may be at their bounds, and say which is wrong', () => {
    const retryable = () => false
    expect(retryPolicy({ maxRetries: 0, retryBackoffFactor: 1, retryDelay: 0, retryable })).toEqual({
      maxRetries: 0,
      delay: 0,
      factor: 1,
      retryable,
    })
    expect(() => retryPolicy({ maxRetries: -1 })).toThrow(/maxRetries must be an integer of 0 or more/)
    for (const retryBackoffFactor of [0.9, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => retryPolicy({ retryBackoffFactor })).toThrow(/retryBackoffFactor must be a number of 1/)
    }
    expect(() => retryPolicy({ retryDelay: -1 })).toThrow(/^retryDelay must be/)
  })

  it('put a retry off by a minute at most, whatever the clock of another process said', () => {
    expect([timeUntil(1_500, 1_000), timeUntil(1_000, 1_500), timeUntil(1e15, 0)]).toEqual([
      500, -500, 60_000,
    ])
  })
})
