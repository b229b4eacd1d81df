import type { Clock } from '../core/clock.ts'
import { type Duration, toMilliseconds } from '../core/duration.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Taken now, so that a test framework's fake timers cannot hold this clock up. */
const { setImmediate } = globalThis
const SETTLE_ROUNDS = 5

/**
 * A clock that stands still until a test moves it.
 *
 * @example
 * const clock = new FakeClock()
 * const cache = new RefCache({ clock })
 * await clock.advance('10m')
 */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  #now: number
  #shift = 0

  /** @param start milliseconds since the epoch; default 2030-01-01T00:00:00Z. */
  constructor(start: number = Date.UTC(2030, 0, 1)) {
    this.#now = start
  }

  /** How many timers wait, background ones too. */
  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now + this.#shift
  }

  monotonic(): number {
    return this.#now
  }

  /** Sets the wall clock, forwards or back, as an administrator or a time server would; timers do not notice. */
  jump(ms: number): void {
    this.#shift += ms
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(ms, 0), callback }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /**
   * Moves the time by `duration`. Timers that fall due run in order, each at its own time; before, between
   * and after them, promises and quick I/O get to their end. `advance(0)` does only that. Rejects with what a
   * timer throws.
   */
  async advance(duration: Duration): Promise<void> {
    const end = this.#now + toMilliseconds(duration, 'duration')
    await settle()
    for (let timer = this.#nextBy(end); timer; timer = this.#nextBy(end)) {
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, timer.at)
      timer.callback()
      await settle()
    }
    this.#now = Math.max(this.#now, end)
  }

  /** Of timers for the same time, the one that was scheduled first. */
  #nextBy(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (timer.at <= end && (!next || timer.at < next.at)) next = timer
    return next
  }
}

async function settle(): Promise<void> {
  for (let round = 0; round < SETTLE_ROUNDS; round++) await new Promise(resolve => setImmediate(resolve))
}
