import type { Clock } from '../../core/clock.ts'

/** Gives up on work that takes longer: its signal aborts, and at the end for whatever of it still goes on. */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController()
  const cancel = clock.schedule(
    ms,
    () => giveUp.abort(new Error('It does not answer in time.')),
    'background',
  )
  try {
    return await work(giveUp.signal)
  } finally {
    cancel()
    giveUp.abort()
  }
}
