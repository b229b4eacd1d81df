import type { Clock } from '../../core/clock.ts'
import { onAbort } from '../../core/on-abort.ts'

/** An abort controller that also follows other signals. */
export interface Abortable {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  /** What happens to the sources after this stays unknown here. */
  end(): void
}

/** Aborts with the first of `sources`, and by itself without them. */
export function abortableUnder(...sources: readonly AbortSignal[]): Abortable {
  const controller = new AbortController()
  const ends = sources.map(source => {
    const follow = () => controller.abort(source.reason)
    if (source.aborted) follow()
    return onAbort(source, follow)
  })
  return {
    signal: controller.signal,
    abort: reason => controller.abort(reason),
    end: () => {
      for (const end of ends) end()
    },
  }
}

/** The outcome of `work`, or the reason of the abort if that comes first: work that ignores its signal is left behind. */
export async function untilAborted<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let ignore = () => {}
  const aborted = new Promise<never>((_, reject) => {
    ignore = onAbort(signal, () => reject(signal.reason))
  })
  try {
    return await Promise.race([aborted, (async () => work())()])
  } finally {
    ignore()
  }
}

/** Whether the caller cancelled. A lost connection aborts the signal with an error of its own. */
export function isCancelled(signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false
  const { reason } = signal
  return !(reason instanceof Error) || reason.name === 'AbortError'
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
