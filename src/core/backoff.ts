import { pause } from './abort.ts'
import type { Clock } from './clock.ts'
import { StoreFull, StoreUnavailable } from './errors.ts'

export interface BackoffOptions {
  /** Milliseconds before the first further try. */
  readonly firstMs: number
  readonly maxMs: number
  /** @defaultValue 2 */
  readonly factor?: number
}

/** How long to wait before each further try: longer each time, up to a limit. */
export class Backoff {
  #tries = 0

  constructor(private readonly options: BackoffOptions) {}

  /** Milliseconds to wait now. */
  next(): number {
    return backoffDelay(this.options, this.#tries++)
  }

  /** It worked: the next trouble begins anew. */
  reset(): void {
    this.#tries = 0
  }
}

/** Milliseconds to wait, where `tries` further ones (from 0) have failed. For who counts the tries anyway. */
export function backoffDelay({ firstMs, maxMs, factor = 2 }: BackoffOptions, tries: number): number {
  return Math.min(firstMs * factor ** tries, maxMs)
}

/**
 * The delay, of which the upper half is random ("equal jitter": Brooker, Exponential Backoff And Jitter, AWS Architecture
 * Blog, 2015), so that what failed together does not come back together.
 *
 * @param random a number in [0, 1)
 */
export function withJitter(ms: number, random: number): number {
  return ms / 2 + (ms / 2) * random
}

/** A store that is away is asked again this often. */
const AGAIN_MS = 1_000

/**
 * Runs a step again and again while the store is away: work that is done must not be lost to a bad minute.
 *
 * @param kind as in `Clock.schedule`
 * @throws any other error of the step; the signal's reason when it aborts while this waits
 */
export async function retryWhileAway<T>(
  step: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
  kind?: 'background',
): Promise<T> {
  for (;;) {
    try {
      return await step()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      await pause(clock, AGAIN_MS, signal, kind)
    }
  }
}

const STORE_TRIES = { firstMs: 250, maxMs: 5_000 }

export interface UntilStoredOptions {
  readonly clock: Clock
  /** Ends the waiting between two tries. */
  readonly signal: AbortSignal
  /** Says until when a store that has been full since `fullSince` is tried, both by the monotonic clock. */
  readonly tryFullUntil: (fullSince: number) => number
  /** Hears of each try that failed. What it throws ends the tries. */
  readonly onFailure: (error: StoreUnavailable) => void
  /** As in `Clock.schedule`. */
  readonly kind?: 'background'
}

/**
 * Runs a step that writes until the store takes it, however long the store is away; one that stays full is given up after a while.
 *
 * @throws any other error of the step; StoreFull; StoreUnavailable when `signal` aborts
 */
export async function untilStored<T>(
  step: () => Promise<T>,
  { clock, signal, tryFullUntil, onFailure, kind }: UntilStoredOptions,
): Promise<T> {
  const backoff = new Backoff(STORE_TRIES)
  let fullSince: number | undefined
  for (;;) {
    try {
      return await step()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      onFailure(error)
      if (error instanceof StoreFull) {
        fullSince ??= clock.monotonic()
        if (clock.monotonic() >= tryFullUntil(fullSince)) throw error
      }
      await pause(clock, backoff.next(), signal, kind).catch(() => {
        throw error
      })
    }
  }
}
