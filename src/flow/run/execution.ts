import { describedActor } from '../../access/actor.ts'
import type { EncodedValue } from '../../core/codec.ts'
import type { ProcessingEntry } from '../../core/entry.ts'
import { TaskCancelled } from '../../core/errors.ts'
import type { ProgressReport } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Piece } from '../../core/piece.ts'
import type { AskMethod } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { Appended, ExecutionContext } from '../../execution/executor.ts'
import type { LateClaims } from '../call/late-claims.ts'
import type { ProgressReporter } from './progress.ts'
import type { QueueSlot } from './queue.ts'
import type { HandlerRun, RunningTasks } from './running.ts'

type Ask = ExecutionContext['ask']

/** Where what the handler appends goes. */
export interface Appends {
  append(piece: Piece): Promise<void>
  /** Resolves when all that was appended is stored. */
  written(): Promise<void>
  /** Goes on with what another task of the same run has appended. */
  takeOver(before: Appends): void
}

type Result = EncodedValue | Appended

/** Where a handler's words go. */
export interface Reach {
  readonly progress: Pick<ProgressReporter, 'report'>
  readonly asker: { readonly ask: Ask }
  readonly appends: Appends
  /** The same, where something was appended. */
  readonly appended: Appends | undefined
  /** Asks once more what was open when the work was handed on. @defaultValue as what is asked for the first time */
  readonly askAgain?: Ask | undefined
}

/** What a context needs of the engine. */
interface ContextSource extends Pick<ExecutionContext, 'encoding' | 'encodeElsewhere'> {
  readonly lateClaims: LateClaims
}

/** A run of a handler. It is for one task at a time: where that is cancelled, another one may go on with it (`hand-over.ts`). */
export class Execution {
  /** By the monotonic clock. */
  begunAt = 0
  #handler: HandlerRun<Result> | undefined
  /** Its place in the queue, while it is between two tasks. */
  #slot: QueueSlot | undefined
  #report: ProgressReport | undefined
  #next: { readonly promise: Promise<Reach | undefined>; resolve(reach?: Reach): void } | undefined

  constructor(
    private readonly controller: AbortController,
    private reach: Reach,
  ) {}

  get hasBegun(): boolean {
    return this.#handler !== undefined
  }

  /** Whether the task that this belongs to still has it, or has given it away. */
  isFor(reach: Reach): boolean {
    return this.#slot === undefined && this.reach === reach
  }

  run(running: RunningTasks, refId: RefId, handler: () => Promise<Result>): Promise<Result> {
    this.#handler = running.beginHandler(refId, handler)
    return this.#handler.result()
  }

  abort(reason: unknown): void {
    this.controller.abort(reason)
    this.#next?.resolve()
  }

  /** Nobody waits for it any more: the place stays taken until the handler has ended, or its grace is over. */
  leaveBehind(slot = this.#slot): void {
    if (this.#handler?.goesOn) slot?.leaveAfter(this.#handler.leaveBehind())
  }

  context(
    { encoding, encodeElsewhere, lateClaims }: ContextSource,
    tool: Tool,
    { refId, attempt, startedBy }: ProcessingEntry,
    local: unknown,
  ): ExecutionContext {
    return {
      refId,
      // Whoever hands it on may have it asked for.
      onRefIdRead: () => lateClaims.keepTrying(refId),
      attempt,
      startedBy: describedActor(startedBy),
      tool,
      local,
      signal: this.controller.signal,
      encoding,
      encodeElsewhere,
      progress: report => {
        this.#report = report
        this.reach.progress.report(report)
      },
      append: piece => this.#append(piece),
      ask: (method, params, givenUp) => {
        const answer = this.#ask(method, params, givenUp)
        // A handler may leave before it has its answer; then nobody is there to hear of the rejection.
        answer.catch(() => {})
        return answer
      },
    }
  }

  /** Its task has ended, and another one may go on with it. */
  beginHandOver(slot: QueueSlot): void {
    this.#slot = slot
    let resolve: (reach?: Reach) => void = () => {}
    const promise = new Promise<Reach | undefined>(done => {
      resolve = done
    })
    this.#next = { promise, resolve }
  }

  /** Another task goes on with it, which takes its place in the queue. */
  async handTo(reach: Reach, slot: QueueSlot): Promise<Result> {
    if (this.reach.appended) reach.appends.takeOver(this.reach.appended)
    this.reach = reach
    if (this.#slot) slot.takeFrom(this.#slot)
    this.#slot = undefined
    // What was said between the two tasks.
    if (this.#report) reach.progress.report(this.#report)
    this.#next?.resolve(reach)
    return (this.#handler as HandlerRun<Result>).result()
  }

  async #append(piece: Piece): Promise<void> {
    const { reach } = this
    try {
      await reach.appends.append(piece)
    } catch (error) {
      const next = error instanceof TaskCancelled ? await this.#next?.promise : undefined
      if (!next || next === reach) throw error
      // It went over to the other task with all that was appended before.
      await next.appends.written()
    }
  }

  async #ask(method: AskMethod, params: unknown, givenUp: AbortSignal | undefined): Promise<JsonObject> {
    let { reach } = this
    let answer = reach.asker.ask(method, params, givenUp)
    for (;;) {
      try {
        return await answer
      } catch (error) {
        const next = error instanceof TaskCancelled ? await this.#next?.promise : undefined
        if (!next || next === reach) throw error
        reach = next
        answer = (next.askAgain ?? next.asker.ask.bind(next.asker))(method, params, givenUp)
      }
    }
  }
}
