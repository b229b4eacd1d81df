import { describedActor } from '../../access/actor.ts'
import type { LazyAbort } from '../../core/abort.ts'
import type { EncodedValue } from '../../core/codec.ts'
import { Deferred } from '../../core/deferred.ts'
import type { ProcessingEntry } from '../../core/entry.ts'
import { TaskCancelled } from '../../core/errors.ts'
import type { ProgressReport } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import { ownMembers } from '../../core/own-members.ts'
import type { Piece } from '../../core/piece.ts'
import type { AskMethod } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { Appended, ExecutionContext } from '../../execution/executor.ts'
import type { LateClaims } from '../call/late-claims.ts'
import type { ProgressReporter } from './progress.ts'
import type { QueueSlot } from './queue.ts'
import type { RunningHandler, RunningTasks } from './running.ts'

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

/** How a handler ended. */
export type HandlerEnd = Result | { readonly error: unknown }

/** Where a handler's words go. */
export interface Reach {
  readonly progress: Pick<ProgressReporter, 'report'>
  readonly asker: { readonly ask: Ask }
  readonly appends: Appends
  /** The same, where something was appended. */
  readonly appended: Appends | undefined
  /** Asks once more what was open when the work was handed on. @defaultValue as what is asked for the first time */
  readonly askAgain?: Ask | undefined
  handlerEnded(end: HandlerEnd): void
}

/**
 * A run of a handler, from its start until it has really ended. It is for one task at a time: where that is cancelled, another one may go on
 * with it (`hand-over.ts`). While the handler works this waits for it with one callback: there may be very many.
 */
export class Execution implements RunningHandler {
  /** By the monotonic clock. */
  begunAt = 0
  #state: 'new' | 'runs' | 'abandoned' | 'ended' = 'new'
  #end: HandlerEnd | undefined
  #over: Deferred | undefined
  #endGrace: (() => void) | undefined
  /** Its place in the queue, while it is between two tasks. */
  #slot: QueueSlot | undefined
  #report: ProgressReport | undefined
  #next: Deferred<Reach | undefined> | undefined

  /** @param refId the task that it runs for */
  constructor(
    private readonly running: RunningTasks,
    private refId: RefId,
    readonly aborting: LazyAbort,
    private reach: Reach,
  ) {}

  get hasBegun(): boolean {
    return this.#state !== 'new'
  }

  /** Whether the task that this belongs to still has it, or has given it away. */
  isFor(reach: Reach): boolean {
    return this.#slot === undefined && this.reach === reach
  }

  run(handler: () => Promise<Result>): void {
    this.#state = 'runs'
    this.running.addHandler(this.refId, this)
    startOf(handler).then(
      result => this.#ended(result),
      error => this.#ended({ error }),
    )
  }

  /** Resolves when the handler has ended, or its grace is over. */
  get over(): Promise<void> {
    if (this.#state !== 'runs') return Promise.resolve()
    this.#over ??= new Deferred()
    return this.#over.promise
  }

  abort(reason: unknown): void {
    this.aborting.abort(reason)
    this.#next?.resolve(undefined)
  }

  /** Nobody waits for it any more: the place stays taken until the handler has ended, or its grace is over. */
  leaveBehind(slot = this.#slot): void {
    if (this.#state !== 'runs') return
    slot?.leaveAfter(this.over)
    this.#endGrace ??= this.running.giveGrace(() => {
      this.#state = 'abandoned'
      this.running.abandon(this.refId, this)
      this.#over?.resolve()
    })
  }

  #ended(end: HandlerEnd): void {
    this.#endGrace?.()
    this.running.endHandler(this.refId, this, this.#state === 'abandoned')
    this.#state = 'ended'
    this.#end = end
    this.#over?.resolve()
    // Between two tasks it waits for the next one.
    if (!this.#slot) this.reach.handlerEnded(end)
  }

  /** Its task has ended, and another one may go on with it. */
  beginHandOver(slot: QueueSlot): void {
    this.#slot = slot
    this.#next = new Deferred()
  }

  /** Another task goes on with it, which takes its place in the queue. */
  handTo(reach: Reach, refId: RefId, slot: QueueSlot): void {
    if (this.reach.appended) reach.appends.takeOver(this.reach.appended)
    this.reach = reach
    if (this.#slot) slot.takeFrom(this.#slot)
    this.#slot = undefined
    this.running.moveHandler(this.refId, refId, this)
    this.refId = refId
    // What was said between the two tasks.
    if (this.#report) reach.progress.report(this.#report)
    this.#next?.resolve(reach)
    if (this.#end) reach.handlerEnded(this.#end)
  }

  report(report: ProgressReport): void {
    this.#report = report
    this.reach.progress.report(report)
  }

  async append(piece: Piece): Promise<void> {
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

  ask(method: AskMethod, params: unknown, givenUp: AbortSignal | undefined): Promise<JsonObject> {
    const answer = this.#ask(method, params, givenUp)
    // A handler may leave before it has its answer; then nobody is there to hear of the rejection.
    answer.catch(() => {})
    return answer
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

/** An executor is somebody else's code: it may throw at once, and give something else than a promise. */
function startOf(handler: () => Promise<Result>): Promise<Result> {
  try {
    return Promise.resolve(handler())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** What a context needs of the engine. */
type ContextSource = Pick<ExecutionContext, 'encoding' | 'encodeElsewhere'> & {
  readonly lateClaims: Pick<LateClaims, 'keepTrying'>
}

/** What is behind what an executor gets. There may be very many, and most executors read little of it. */
class HandlerContext {
  readonly #execution: Execution
  readonly #engine: ContextSource
  readonly #tool: Tool
  readonly #entry: ProcessingEntry
  readonly #local: unknown

  constructor(
    execution: Execution,
    engine: ContextSource,
    tool: Tool,
    entry: ProcessingEntry,
    local: unknown,
  ) {
    this.#execution = execution
    this.#engine = engine
    this.#tool = tool
    this.#entry = entry
    this.#local = local
  }

  static readonly withMembers = ownMembers<HandlerContext, ExecutionContext>({
    refId: context => context.#entry.refId,
    // Whoever hands it on may have it asked for.
    onRefIdRead: context => () => context.#engine.lateClaims.keepTrying(context.#entry.refId),
    attempt: context => context.#entry.attempt,
    startedBy: context => describedActor(context.#entry.startedBy),
    tool: context => context.#tool,
    local: context => context.#local,
    signal: context => context.#execution.aborting.signal,
    encoding: context => context.#engine.encoding,
    encodeElsewhere: context => context.#engine.encodeElsewhere,
    progress: context => report => context.#execution.report(report),
    append: context => piece => context.#execution.append(piece),
    ask: context => (method, params, givenUp) => context.#execution.ask(method, params, givenUp),
  })
}

/** What a handler's run can do, as its executor sees it. */
export function contextOf(
  execution: Execution,
  engine: ContextSource,
  tool: Tool,
  entry: ProcessingEntry,
  local: unknown,
): ExecutionContext {
  return HandlerContext.withMembers(new HandlerContext(execution, engine, tool, entry, local))
}
