import type { RefId } from '../core/ref.ts'

/** What a waiting caller has heard so far. */
export class Listening {
  /** The error that the handler threw. */
  heard: { readonly error: unknown } | undefined
  readonly #abandoned = new AbortController()

  /** Aborts when the task can be followed no further, with the error as its reason. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal
  }

  constructor(readonly end: (listening: Listening) => void) {}

  abandon(error: unknown): void {
    this.#abandoned.abort(error)
  }
}

/**
 * Brings errors as they were thrown, which no store can hold, to the callers that wait in this process.
 * It decides nothing: whether a task failed is in its entry.
 */
export class ThrownErrors {
  readonly #listening = new Map<RefId, Set<Listening>>()

  listen(refId: RefId): Listening {
    const listeners = this.#listening.get(refId) ?? new Set()
    this.#listening.set(refId, listeners)
    const listening = new Listening(ended => {
      listeners.delete(ended)
      if (listeners.size === 0 && this.#listening.get(refId) === listeners) this.#listening.delete(refId)
    })
    listeners.add(listening)
    return listening
  }

  /** The handler threw; its entry is about to say so. */
  tell(refId: RefId, error: unknown): void {
    for (const listening of this.#listening.get(refId) ?? []) listening.heard = { error }
  }

  /** The entry cannot say what became of the task, because the store is away. */
  abandon(refId: RefId, error: unknown): void {
    for (const listening of this.#listening.get(refId) ?? []) listening.abandon(error)
  }
}
