/** Where time comes from. Everything that waits or reads the time takes one, so that tests own time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since some moment: for durations, because it goes on evenly when the wall clock is set. */
  monotonic(): number
  /**
   * Calls `callback` once after `ms`; returns its cancellation. A `background` timer (a sweep, a heartbeat)
   * does not keep the process alive; any other does, because somebody awaits it.
   */
  schedule(ms: number, callback: () => void, kind?: 'background'): () => void
}

/** Longest delay a Node timer can hold (2^31 − 1 ms); longer ones would fire at once. */
const MAX_TIMER_MS = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(ms, callback, kind) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), MAX_TIMER_MS))
    if (kind === 'background') timer.unref()
    return () => clearTimeout(timer)
  },
}
