/** The source of time. All code that waits or reads the time takes one, so that tests control time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since some moment: for durations, because it goes on evenly when the wall clock is set. */
  monotonic(): number
  /**
   * Calls `callback` once after `ms`; returns its cancellation. A `background` timer (a sweep, a heartbeat)
   * does not keep the process alive. Others do, because a caller awaits them.
   */
  schedule(ms: number, callback: () => void, kind?: 'background'): () => void
}

/** Clocks that differ by less count as the same. */
export const CLOCK_SLACK_MS = 60_000

/** Longest delay a Node timer can hold (2^31 − 1 ms, 24.8 days); longer ones would fire at once. */
const MAX_TIMER_MS = 2_147_483_647

/** Furthest moment that a Date can hold (ECMAScript, Time Values and Time Range). */
const MAX_DATE_MS = 8.64e15

/** The moment as a Date. What lies beyond the range of a Date becomes its limit, never an Invalid Date. */
export function toDate(ms: number): Date {
  return new Date(Math.max(-MAX_DATE_MS, Math.min(ms, MAX_DATE_MS)))
}

/** The machine's clock: the default of a cache. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(ms, callback, kind) {
    let timer: NodeJS.Timeout
    const arm = (left: number) => {
      const step = Math.min(Math.max(left, 0), MAX_TIMER_MS)
      timer = setTimeout(() => (left > step ? arm(left - step) : callback()), step)
      if (kind === 'background') timer.unref()
    }
    arm(ms)
    return () => clearTimeout(timer)
  },
}

/** Waits for the work, but no longer than that. @throws what the work throws */
export function waitAtMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = clock.schedule(ms, resolve, 'background')
    void work.then(() => resolve(), reject).finally(stop)
  })
}
