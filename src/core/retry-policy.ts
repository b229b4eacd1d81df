import { backoffDelay, withJitter } from './backoff.ts'
import { type Duration, toMilliseconds } from './duration.ts'
import { type ErrorCode, InvalidArgument, RefCacheError } from './errors.ts'

export interface RetryPolicy {
  readonly maxRetries: number
  readonly delay: number
  readonly factor: number
  readonly retryable: (error: unknown) => boolean | Promise<boolean>
}

interface RetryOptions {
  maxRetries?: number | undefined
  retryDelay?: Duration | undefined
  retryBackoffFactor?: number | undefined
  retryable?: ((error: unknown) => boolean | Promise<boolean>) | undefined
}

const MAX_DELAY_MS = 60_000

/** With the same input, and the same client, these can only happen again. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_argument',
  'not_serializable',
  'circular_reference',
  'value_too_large',
  'not_found',
  'input_unavailable',
])

/** Whether a retry by hand is of no use; with `store_full` the input is gone, too. */
export function canRetry(code: ErrorCode): boolean {
  return !isFinal(code) && code !== 'store_full'
}

export function isFinal(code: ErrorCode): boolean {
  return FINAL.has(code)
}

export function retryPolicy(options: RetryOptions): RetryPolicy {
  const { maxRetries = 0, retryBackoffFactor: factor = 2 } = options
  if (!Number.isSafeInteger(maxRetries) || maxRetries < 0) {
    throw new InvalidArgument('maxRetries must be an integer of 0 or more.')
  }
  if (!(factor >= 1) || !Number.isFinite(factor)) {
    throw new InvalidArgument('retryBackoffFactor must be a number of 1 or more.')
  }
  return {
    maxRetries,
    delay: toMilliseconds(options.retryDelay ?? '1s', 'retryDelay'),
    factor,
    retryable: options.retryable ?? (error => !(error instanceof RefCacheError && isFinal(error.code))),
  }
}

/** Milliseconds until a retry is due; never more than the longest delay, whatever the clock of who put it off said. */
export function timeUntil(retryAt: number, now: number): number {
  return Math.min(MAX_DELAY_MS, retryAt - now)
}

/**
 * Milliseconds before retry number `retry` (from 1): `delay × factor^(retry − 1)`, at most 60 s, with jitter.
 *
 * @param random a number in [0, 1)
 */
export function retryDelay(policy: RetryPolicy, retry: number, random: number): number {
  const { delay, factor } = policy
  const full = backoffDelay({ firstMs: delay, maxMs: MAX_DELAY_MS, factor }, retry - 1)
  return Math.round(withJitter(full, random))
}
