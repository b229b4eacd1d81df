import type { Clock } from '../core/clock.ts'

/** A right to abort of one's own, under that of somebody else. */
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
    source.addEventListener('abort', follow)
    return () => source.removeEventListener('abort', follow)
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
