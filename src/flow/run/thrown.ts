import { LazyAbort } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Entry } from '../../core/entry.ts'
import { Kept } from '../../core/kept.ts'
import type { RefId } from '../../core/ref.ts'

/** Errors can hold much; whoever asks later gets the message alone. */
const LIMITS = { maxCount: 100, maxWeight: 1_000_000, idleMs: 10 * 60_000 }

/** A caller that waits for a task of this process. */
export interface Listening {
  /** The error that the handler threw, once it has failed. */
  readonly delivered: { readonly error: unknown } | undefined
  /** Aborts when the task can be followed no further, with the error as its reason. */
  readonly abandoned: LazyAbort
  /** Aborts when its outcome is lost and no entry can say so. */
  readonly lost: LazyAbort
  end(): void
}

class Listener implements Listening {
  delivered: { readonly error: unknown } | undefined
  readonly abandoned = new LazyAbort()
  readonly lost = new LazyAbort()

  constructor(readonly end: () => void) {}

  abandon(error: unknown): void {
    this.abandoned.abort(error)
  }

  lose(error: unknown): void {
    this.abandoned.abort(error)
    this.lost.abort(error)
  }
}

/**
 * Brings errors as they were thrown, which no store can hold, to the callers in this process: those that wait, and for
 * the latest failures those that ask later. It decides nothing: whether a task failed is in its entry.
 */
export class ThrownErrors {
  readonly #listeners = new Map<RefId, Set<Listener>>()
  readonly #lost = new Map<RefId, unknown>()
  readonly #latest: Kept<{ readonly attempt: number; readonly error: unknown }>

  constructor(clock: Clock) {
    this.#latest = new Kept(clock, LIMITS)
  }

  /** How many references somebody listens to. */
  get listenedTo(): number {
    return this.#listeners.size
  }

  listen(refId: RefId): Listening {
    const listeners = this.#listeners.get(refId) ?? new Set()
    const listener = new Listener(() => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(refId) === listeners) this.#listeners.delete(refId)
    })
    if (this.#lost.has(refId)) listener.lose(this.#lost.get(refId))
    this.#listeners.set(refId, listeners.add(listener))
    return listener
  }

  /** Whether a caller in this process waits for the outcome. */
  isAwaited(refId: RefId): boolean {
    return this.#listeners.has(refId)
  }

  /** The handler threw in this attempt, which is the last; the entry is about to say so. */
  deliver({ refId, attempt }: Entry, error: unknown, expiresAt: number | undefined): void {
    for (const listener of this.#listeners.get(refId) ?? []) listener.delivered = { error }
    this.#latest.put({ refId, expiresAt }, { attempt, error }, weightOf(error))
  }

  /** What the handler of a failed entry threw, where it ran in this process a short while ago. */
  of({ refId, attempt }: Pick<Entry, 'refId' | 'attempt'>): unknown {
    const latest = this.#latest.get(refId)
    return latest?.attempt === attempt ? latest.error : undefined
  }

  /** The outcome of a task is lost, and its entry cannot say so yet, because the store is full. */
  lose(refId: RefId, error: unknown): void {
    this.#lost.set(refId, error)
    for (const listener of this.#listeners.get(refId) ?? []) listener.lose(error)
  }

  /** `lose` is over: the entry says so now, or nobody can make it say so any more. */
  endLoss(refId: RefId): void {
    this.#lost.delete(refId)
  }

  /** The entry is gone, or begins anew. */
  drop(refId: RefId): void {
    this.#latest.drop(refId)
  }

  clear(): void {
    this.#latest.clear()
  }

  sweep(): void {
    this.#latest.sweep()
  }

  /** The entry cannot say what became of the task, because the store is away. */
  abandon(refId: RefId, error: unknown): void {
    for (const listener of this.#listeners.get(refId) ?? []) listener.abandon(error)
  }
}

/** What can be seen of an error's size: it may hold anything. */
function weightOf(error: unknown): number {
  try {
    const { message = '', stack = '' } = error as { message?: unknown; stack?: unknown }
    return 1_000 + String(message).length + String(stack).length
  } catch {
    return 10_000
  }
}
