import type { Namespace } from '../../access/namespace.ts'
import type { Clock } from '../../core/clock.ts'
import type { RefId } from '../../core/ref.ts'
import { Signal } from '../../core/signal.ts'

/** A task that this process has. It is told to stop where it is no longer wanted. */
export interface RunningTask {
  readonly refId: RefId
  readonly namespace: Namespace
  /** Resolves with the end of what this process does for the task. It does not reject. */
  readonly done: Promise<void>
  /** The last round in which the store confirmed that this process has it, or in which it began. */
  round: number
  /** How many questions it waits for. */
  asking: number
  /** Writes what its handler has appended and the store does not have. */
  write: (() => Promise<void>) | undefined
  stop(reason: unknown): void
  /** Asks the store whether the task is still this process's, and stops it where not. */
  check(): Promise<void>
}

/** A cancellation waits no longer for the last write of what was appended. */
const LAST_WRITE_MS = 1_000

/** A handler that runs for a task. */
export interface RunningHandler {
  /** Resolves when it has ended, or its grace is over. It does not reject. */
  readonly over: Promise<void>
}

/**
 * The tasks that this process runs, and their handlers. A handler that ignores its aborted signal still uses what the
 * limits protect, so it counts as running until it has ended; after a grace it is abandoned.
 */
export class RunningTasks {
  readonly #tasks = new Map<RefId, RunningTask>()
  readonly #handlers = new Map<RefId, RunningHandler>()
  readonly #asked = new Signal()
  #abandoned = 0
  #round = 0

  constructor(
    private readonly clock: Clock,
    private readonly grace: number,
  ) {}

  /** How many handlers go on although their grace is over. */
  get abandoned(): number {
    return this.#abandoned
  }

  get size(): number {
    return this.#tasks.size
  }

  has(refId: RefId): boolean {
    return this.#tasks.has(refId)
  }

  /** Begins to compare what runs here with what the store says. */
  beginRound(): void {
    this.#round++
  }

  /** In this round the store says that this process has the task. False where it does not run here. */
  confirm(refId: RefId): boolean {
    const task = this.#tasks.get(refId)
    if (task) task.round = this.#round
    return task !== undefined
  }

  /** What ran here when the round began, and was not confirmed: each asks whether it was lost. */
  *unconfirmed(): Generator<RunningTask> {
    const round = this.#round
    for (const task of this.#tasks.values()) if (task.round < round) yield task
  }

  /** The end of what this process does for a task; nothing where that is nothing. It does not reject. */
  doneOf(refId: RefId): Promise<void> | undefined {
    return this.#tasks.get(refId)?.done
  }

  /** How many tasks of that namespace run here, or wait here for their turn or for their next attempt. */
  countOf(namespace: Namespace): number {
    let count = 0
    for (const task of this.#tasks.values()) if (task.namespace === namespace) count++
    return count
  }

  add(task: RunningTask): void {
    task.round = this.#round
    this.#tasks.set(task.refId, task)
  }

  /** It has come to its end here. */
  remove(task: RunningTask): void {
    if (this.#tasks.get(task.refId) === task) this.#tasks.delete(task.refId)
  }

  /** Aborts the task if it runs here; otherwise nothing. */
  abort(refId: RefId, reason: unknown): void {
    this.#tasks.get(refId)?.stop(reason)
  }

  /** `write` stores what the handler of the task has appended, if there is something. */
  setWriter(refId: RefId, write: () => Promise<void>): void {
    const task = this.#tasks.get(refId)
    if (task) task.write = write
  }

  /** The task is about to be cancelled: what it has appended is kept, if the store takes it soon. */
  async beforeCancel(refId: RefId): Promise<void> {
    const write = this.#tasks.get(refId)?.write
    if (!write) return
    let end = () => {}
    const soon = new Promise<void>(resolve => {
      end = this.clock.schedule(LAST_WRITE_MS, resolve)
    })
    await Promise.race([write(), soon]).finally(() => end())
  }

  /** Waits for the answer to a question of the task, which may take days or never come. */
  async whileAsking<Answer>(refId: RefId, answer: () => Promise<Answer>): Promise<Answer> {
    const task = this.#tasks.get(refId)
    if (!task) return answer()
    task.asking++
    this.#asked.notify()
    try {
      return await answer()
    } finally {
      task.asking--
    }
  }

  /** Resolves when nothing runs here but what waits for answers. */
  async idle(): Promise<void> {
    for (;;) {
      const working = [...this.#tasks.values()].filter(({ asking }) => asking === 0)
      if (working.length === 0) return
      await Promise.race([Promise.all(working.map(({ done }) => done)), this.#asked.next()])
    }
  }

  /** Aborts what runs, and resolves when all of it has come to its end. */
  async close(reason: unknown): Promise<void> {
    for (const task of this.#tasks.values()) task.stop(reason)
    while (this.#tasks.size > 0) await Promise.all([...this.#tasks.values()].map(({ done }) => done))
  }

  /** The end of the handler that runs for a task, or of its grace; nothing where none runs. */
  handlerOf(refId: RefId): Promise<void> | undefined {
    return this.#handlers.get(refId)?.over
  }

  addHandler(refId: RefId, handler: RunningHandler): void {
    this.#handlers.set(refId, handler)
  }

  /** Another task goes on with the handler of this one. */
  moveHandler(from: RefId, to: RefId, handler: RunningHandler): void {
    if (this.#removeHandler(from, handler)) this.#handlers.set(to, handler)
  }

  /** It has really ended. */
  endHandler(refId: RefId, handler: RunningHandler, wasAbandoned: boolean): void {
    if (wasAbandoned) this.#abandoned--
    else this.#removeHandler(refId, handler)
  }

  /** Calls `onOver` when the grace of a handler is over that nobody waits for any more. Returns the end of that. */
  giveGrace(onOver: () => void): () => void {
    return this.clock.schedule(this.grace, onOver, 'background')
  }

  /** It goes on although its grace is over. */
  abandon(refId: RefId, handler: RunningHandler): void {
    this.#abandoned++
    this.#removeHandler(refId, handler)
  }

  #removeHandler(refId: RefId, handler: RunningHandler): boolean {
    return this.#handlers.get(refId) === handler && this.#handlers.delete(refId)
  }
}
