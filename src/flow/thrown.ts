import type { RefId } from '../core/ref.ts'

/** What a waiting caller has heard so far. */
export interface Listening {
  /** The error that the handler threw. */
  readonly heard: { readonly error: unknown } | undefined
  /** Aborts when the task can be followed no further, with the error as its reason. */
  readonly abandoned: AbortSignal
  end(): void
}

interface Listener {
  heard: { readonly error: unknown } | undefined
  readonly abandon: AbortController
}

/**
 * Brings errors as they were thrown, which no store can hold, to the callers that wait in this process.
 * It decides nothing: whether a task failed is in its entry.
 */
export class ThrownErrors {
  readonly #listeners = new Map<RefId, Set<Listener>>()

  listen(refId: RefId): Listening {
    const listener: Listener = { heard: undefined, abandon: new AbortController() }
    const listeners = this.#listeners.get(refId) ?? new Set()
    this.#listeners.set(refId, listeners.add(listener))
    return {
      get heard() {
        return listener.heard
      },
      abandoned: listener.abandon.signal,
      end: () => {
        listeners.delete(listener)
        if (listeners.size === 0 && this.#listeners.get(refId) === listeners) this.#listeners.delete(refId)
      },
    }
  }

  /** The handler threw; its entry is about to say so. */
  tell(refId: RefId, error: unknown): void {
    for (const listener of this.#listeners.get(refId) ?? []) listener.heard = { error }
  }

  /** The entry cannot say what became of the task, because the store is away. */
  abandon(refId: RefId, error: unknown): void {
    for (const { abandon } of this.#listeners.get(refId) ?? []) abandon.abort(error)
  }
}
