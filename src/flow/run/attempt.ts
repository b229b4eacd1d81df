import { LazyAbort, untilAborted } from '../../core/abort.ts'
import type { EncodedValue } from '../../core/codec.ts'
import type { Lease, ProcessingEntry, Progress } from '../../core/entry.ts'
import { asInspectable } from '../../core/error-text.ts'
import { StoreUnavailable, TaskCancelled } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import type { RefId } from '../../core/ref.ts'
import type { Due, Wait } from '../../core/timers.ts'
import type { Tool } from '../../core/tool.ts'
import type { Appended, ExecutionContext } from '../../execution/executor.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { AttemptMessage } from '../../telemetry/messages.ts'
import type { GivenInput } from '../call/draft.ts'
import type { InputShare } from '../call/input-budget.ts'
import { whileInvalidating } from '../control/invalidate.ts'
import type { Engine } from '../engine.ts'
import { AppendWriter } from './append.ts'
import { Asker } from './ask.ts'
import { contextOf, Execution, type HandlerEnd, type Reach } from './execution.ts'
import { type Filled, fillReferences } from './fill-references.ts'
import { followOther, type Inherited } from './follow-other.ts'
import { CancelledButFollowed } from './hand-over.ts'
import { limitTime, lost, overTime, renewOrStop } from './lease.ts'
import { ProgressReporter } from './progress.ts'
import type { QueueSlot } from './queue.ts'
import { type Outcome, settleAttempt } from './settle.ts'

/** One process's hold on a task. */
export interface Hold {
  readonly engine: Engine
  readonly tool: Tool
  readonly refId: RefId
  readonly lease: Lease
  readonly slot: QueueSlot
  /** What the call that began the run gives the handler of an attempt. */
  readonly local: (() => unknown) | undefined
  /** Why it is to stop: the task is cancelled, deleted or lost to another process, or this one closes. Undefined while it may go on. */
  readonly stopReason: unknown
  stop(reason: unknown): void
  /** What is left to do is `attempt.settle(outcome)`. */
  attemptEnded(attempt: Attempt, outcome: Outcome): void
}

/**
 * Runs the handler once, or follows the task whose work this one shares, and settles what came of it. What the handler reports, asks
 * and appends goes into the entry, as long as the task is ours. Most handlers only return, so each of those three begins when it is used.
 *
 * While the handler works, no function waits for it here: its end is told to this (`handlerEnded`), and by this to the hold.
 */
export class Attempt implements Reach, Due {
  /** With the constraints of its input, once that is filled: they say who may hear what it reports. */
  #latest: ProcessingEntry
  /** Its own: its hard timeout must not end the retries, and when it is over its handler hears no more. */
  readonly #abort = new LazyAbort()
  #execution: Execution
  readonly #begunAt: number
  #progress: ProgressReporter | undefined
  #asker: Asker | undefined
  #appends: AppendWriter | undefined
  #timeLimit: Wait | undefined
  #isOver = false
  /** For work that it takes over from another task. */
  askAgain: Reach['askAgain']

  constructor(
    private readonly hold: Hold,
    private readonly entry: ProcessingEntry,
  ) {
    const { engine, refId } = hold
    this.#latest = entry
    this.#begunAt = engine.clock.monotonic()
    this.#execution = new Execution(engine.running, refId, this.#abort, this)
  }

  get progress(): ProgressReporter {
    if (!this.#progress) {
      this.#progress = progressReporter(this.hold, this.#begunAt, progress =>
        this.hold.engine.progress.notify({ ...this.#latest, progress }),
      )
      if (this.#isOver) void this.#progress.end()
    }
    return this.#progress
  }

  get asker(): Asker {
    if (!this.#asker) {
      this.#asker = new Asker(this.hold.engine, this.entry, this.hold.slot, this.#abort.signal)
      if (this.#isOver) void this.#asker.end()
    }
    return this.#asker
  }

  get appends(): AppendWriter {
    if (!this.#appends) {
      this.#appends = new AppendWriter(this.hold, this.#abort.signal)
      if (this.#isOver && this.#hasWork) this.#appends.abandon()
    }
    return this.#appends
  }

  get appended(): AppendWriter | undefined {
    return this.#appends
  }

  begin(input: GivenInput | undefined): void {
    this.hold.engine.events.emit(events.started(this.entry))
    this.#beginWork(input).catch(error => this.#fail(error))
  }

  /** Resolves when the handler works. */
  async #beginWork(input: GivenInput | undefined): Promise<void> {
    const { entry, hold } = this
    if (hold.stopReason !== undefined) throw hold.stopReason
    if (entry.follows === undefined) return this.#runHandler(input)
    const { engine, slot } = hold
    const { progress, asker } = this
    const { signal } = this.#abort
    const followed = await followOther({ engine, entry, follows: entry.follows, progress, asker, signal })
    if ('outcome' in followed) {
      this.#end(followed.outcome)
      return
    }
    this.#latest = followed.entry
    slot.needsPlace = true
    if (followed.work) {
      this.#goOn(followed.work)
      return
    }
    await slot.acquire(signal)
    await this.#runHandler(input)
  }

  async #runHandler(input: GivenInput | undefined): Promise<void> {
    const { hold, entry } = this
    const { engine, tool, local } = hold
    this.#execution.begunAt = engine.clock.monotonic()
    this.#timeLimit = limitTime(engine, tool.hardTimeout, this)
    // Without references the input is what the caller sent.
    const memory = entry.uses && engine.inputs.open()
    try {
      const filled = await fillFor(hold, entry, input, memory, this.#abort)
      this.#latest = filled.entry
      const given = local && (await untilAborted(this.#abort.signal, local))
      memory?.close()
      this.#abort.throwIfAborted()
      const context = contextOf(this.#execution, engine, tool, entry, given)
      const run = () => runHandler(engine, tool, filled.args, context, this.#abort)
      // Work that ignores its signal keeps its input until it ends.
      this.#execution.run(memory ? () => run().finally(() => memory.end()) : run)
    } catch (error) {
      memory?.end()
      throw error
    }
  }

  /** Goes on with the work of a task that was cancelled. */
  #goOn({ execution, askAgain }: Inherited): void {
    const { engine, tool, refId, slot } = this.hold
    this.#execution = execution
    this.askAgain = askAgain
    const elapsed = engine.clock.monotonic() - execution.begunAt
    this.#timeLimit = limitTime(engine, tool.hardTimeout, this, elapsed)
    execution.handTo(this, refId, slot)
  }

  /** It has run for as long as it may. */
  onDue(): void {
    this.stop(overTime(this.hold.tool.hardTimeout))
  }

  handlerEnded(end: HandlerEnd): void {
    if ('error' in end) this.#fail(end.error)
    else if (!('appended' in end)) this.#end(end)
    else {
      this.appends.end().then(
        value => this.#end(value),
        error => this.#fail(error),
      )
    }
  }

  /** Ends it now, also where the handler goes on. */
  stop(reason: unknown): void {
    if (!this.#handOver(reason)) {
      this.#execution.abort(reason)
      this.#abort.abort(reason)
    }
    this.#fail(reason)
  }

  #fail(error: unknown): void {
    this.#end({ error: asInspectable(error) })
  }

  /** The first outcome counts: of the work, or of being stopped. */
  #end(outcome: Outcome): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timeLimit?.end()
    if (this.#hasWork) this.#execution.leaveBehind(this.hold.slot)
    this.hold.attemptEnded(this, outcome)
  }

  /** Settles the task, as far as it is ours. Says when the next attempt is due; nothing when the task has come to its end. */
  async settle(outcome: Outcome): Promise<number | undefined> {
    await this.#progress?.end()
    await this.#asker?.end()
    if (!this.#hasWork) return undefined
    await this.#keepAppended(outcome)
    const { engine, tool, refId, stopReason } = this.hold
    // It was stopped because the task is no longer ours: how it ended says nothing of the task.
    if ('error' in outcome && stopReason instanceof TaskCancelled) return undefined
    const ended = { entry: this.#latest, tool, begunAt: this.#begunAt, progress: this.#progress?.latest }
    const settled = await settleAttempt(engine, ended, outcome)
    if (settled !== 'refused') return settled
    // The task was cancelled a moment ago; who follows it gets the outcome.
    this.#handOver(lost(await engine.entries.read(refId)))
    return undefined
  }

  /** Work that runs for a task which was cancelled is for those who follow it. False where there is no such work, or nobody. */
  #handOver(reason: unknown): boolean {
    if (!(reason instanceof CancelledButFollowed) || !this.#execution.hasBegun) return false
    this.#execution.beginHandOver(this.hold.slot.detach())
    this.hold.engine.handOvers.offer(reason.entry, this.#execution)
    return true
  }

  /** The work is still that of this task. */
  get #hasWork(): boolean {
    return this.#execution.isFor(this)
  }

  /** An attempt that failed keeps what it has appended. Where the task is no longer ours there is nothing to write. */
  async #keepAppended(outcome: Outcome): Promise<void> {
    const isLost = this.hold.stopReason instanceof TaskCancelled
    if ('error' in outcome && !isLost) await this.#appends?.flush()
    else this.#appends?.abandon()
  }
}

/** A tool that writes does so until its handler has ended, also where nobody waits for it any more. */
function runHandler(
  engine: Engine,
  tool: Tool,
  input: JsonValue,
  context: ExecutionContext,
  abort: LazyAbort,
): Promise<EncodedValue | Appended> {
  const execute = () => engine.executorOf(tool).execute(tool.name, input, context)
  const run = tool.invalidates.length === 0 ? execute : () => whileInvalidating(engine, tool, execute)
  const heard = isHeard(channels.attempt) ? traced(engine, tool, context, run) : run
  return tool.readOnly === false ? engine.sharedRuns.duringWrite(abort, heard) : heard()
}

function traced(
  engine: Engine,
  { name }: Tool,
  { refId, attempt }: ExecutionContext,
  run: () => Promise<EncodedValue | Appended>,
): () => Promise<EncodedValue | Appended> {
  const message: AttemptMessage = { cache: engine.name, tool: engine.toolLabel(name), refId, attempt }
  return () => trace(channels.attempt, message, run)
}

/** Writes what the handler reports into the entry. */
function progressReporter(
  hold: Hold,
  begunAt: number,
  onReport: (progress: Progress) => void,
): ProgressReporter {
  const { engine, refId, lease } = hold
  const write = async (progress: Progress, pace: number | undefined) => {
    const now = engine.clock.now()
    const event = { type: 'progress', owner: lease.owner, progress, pace, now } as const
    const changed = await renewOrStop(engine, refId, event, hold)
    if (changed?.entry?.status === 'processing') engine.events.emit(events.progress(changed.entry))
  }
  return new ProgressReporter(engine.clock, engine.timers, begunAt, write, onReport)
}

/** The input with values in the places of its references, and the entry that knows of them. */
async function fillFor(
  hold: Hold,
  entry: ProcessingEntry,
  input: GivenInput | undefined,
  memory: InputShare | undefined,
  abort: LazyAbort,
): Promise<Filled> {
  if (input === undefined) throw new StoreUnavailable('The input of this task is gone from the store.')
  const asText = hold.engine.executorOf(hold.tool).inputAs === 'json'
  if (memory) return fillReferences(hold, entry, input, asText, memory, abort.signal)
  return { args: asText ? input.json : parseJson(input.json), entry }
}
