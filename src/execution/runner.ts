import type { RefId } from '../core/ref.ts'

/**
 * Runs one task from its stored entry to its settlement, and never rejects. The signal aborts when the work should
 * stop; its reason says why.
 */
export type Perform = (refId: RefId, signal: AbortSignal) => Promise<void>

/** Where handlers run: this process, worker threads, other machines. */
export interface Runner {
  /** It begins each task at once, in this process. */
  readonly isLocal?: boolean
  /** Begins the task soon, without blocking the caller. The only place where work starts. */
  start(refId: RefId, perform: Perform): void
  /** Aborts the signal of the task if it runs here; otherwise nothing. */
  abort(refId: RefId, reason: unknown): void
  /** Whether the task runs here, as far as this process can tell. */
  runs(refId: RefId): boolean
  /** Resolves when nothing runs here. */
  idle(): Promise<void>
  /** Aborts what runs, and resolves when all of it has come to its end. */
  close(reason: unknown): Promise<void>
}
