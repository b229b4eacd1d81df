import type { Entry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'

/** Errors can hold much; whoever asks later than this many failures gets the message alone. */
const MAX_KEPT = 100

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
 * Brings errors as they were thrown, which no store can hold, to the callers in this process: those that wait, and for
 * the latest failures those that ask later. It decides nothing: whether a task failed is in its entry.
 */
export class ThrownErrors {
  readonly #listeners = new Map<RefId, Set<Listener>>()
  readonly #latest = new Map<RefId, { readonly attempt: number; readonly error: unknown }>()

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

  /** The handler threw in this attempt, which is the last; the entry is about to say so. */
  tell({ refId, attempt }: Entry, error: unknown): void {
    for (const listener of this.#listeners.get(refId) ?? []) listener.heard = { error }
    this.#latest.delete(refId)
    this.#latest.set(refId, { attempt, error })
    for (const oldest of this.#latest.keys()) {
      if (this.#latest.size <= MAX_KEPT) break
      this.#latest.delete(oldest)
    }
  }

  /** What the handler of a failed entry threw, where it ran in this process a short while ago. */
  of({ refId, attempt }: Pick<Entry, 'refId' | 'attempt'>): unknown {
    const latest = this.#latest.get(refId)
    return latest?.attempt === attempt ? latest.error : undefined
  }

  /** The entry is gone, or begins anew. */
  drop(refId: RefId): void {
    this.#latest.delete(refId)
  }

  /** The entry cannot say what became of the task, because the store is away. */
  abandon(refId: RefId, error: unknown): void {
    for (const { abandon } of this.#listeners.get(refId) ?? []) abandon.abort(error)
  }
}
