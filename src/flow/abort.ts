import type { Clock } from '../core/clock.ts'

/** The outcome of `work`, or the reason of the abort if that comes first: work that ignores its signal is left behind. */
export async function untilAborted<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let abandon = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abandon = () => reject(signal.reason)
    signal.addEventListener('abort', abandon)
  })
  try {
    return await Promise.race([aborted, (async () => work())()])
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}

/** A signal that follows `source` until it is told to end: what happens to `source` after that stays unknown to it. */
export function following(source: AbortSignal): { signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort(source.reason)
  if (source.aborted) abort()
  source.addEventListener('abort', abort)
  return { signal: controller.signal, end: () => source.removeEventListener('abort', abort) }
}

/** Waits `ms`; rejects with the signal's reason when it is aborted first. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  let cancel = () => {}
  try {
    await untilAborted(
      signal,
      () =>
        new Promise<void>(resolve => {
          cancel = clock.schedule(ms, resolve)
        }),
    )
  } finally {
    cancel()
  }
}
