import type { Clock } from './clock.ts'

/**
 * Calls `callback` when the signal aborts; returns the end of it. Any number of calls put one listener on the signal:
 * Node warns of a leak where many are on one, and a signal of a user's may serve many calls at once.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = listening.get(signal) ?? listenTo(signal)
  // An object of its own, so that the same function given twice counts twice.
  const own = { callback }
  callbacks.waiting.add(own)
  return () => {
    if (callbacks.waiting.delete(own) && callbacks.waiting.size === 0) callbacks.stop()
  }
}

interface Callbacks {
  readonly waiting: Set<{ readonly callback: () => void }>
  stop(): void
}

const listening = new WeakMap<AbortSignal, Callbacks>()

function listenTo(signal: AbortSignal): Callbacks {
  const waiting: Callbacks['waiting'] = new Set()
  const hear = () => {
    callbacks.stop()
    for (const { callback } of waiting) callback()
    waiting.clear()
  }
  const callbacks: Callbacks = {
    waiting,
    stop: () => {
      signal.removeEventListener('abort', hear)
      if (listening.get(signal) === callbacks) listening.delete(signal)
    },
  }
  signal.addEventListener('abort', hear)
  listening.set(signal, callbacks)
  return callbacks
}

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

/** An abort controller whose signal is made when somebody asks for it: signals are dear, and most calls need few. */
export class LazyAbort {
  #controller: AbortController | undefined
  #aborted: { readonly reason: unknown } | undefined

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#aborted.reason)
    }
    return this.#controller.signal
  }

  get aborted(): boolean {
    return this.#aborted !== undefined
  }

  get reason(): unknown {
    return this.#aborted?.reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#aborted.reason
  }

  abort(reason?: unknown): void {
    this.#aborted ??= { reason }
    this.#controller?.abort(reason)
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

/** Waits `ms`; rejects with the signal's reason when it is aborted first. `kind` is that of `Clock.schedule`. */
export async function pause(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  kind?: 'background',
): Promise<void> {
  let cancel = () => {}
  try {
    await untilAborted(
      signal,
      () =>
        new Promise<void>(resolve => {
          cancel = clock.schedule(ms, resolve, kind)
        }),
    )
  } finally {
    cancel()
  }
}
