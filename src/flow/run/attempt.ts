import type { SourceConstraint } from '../../access/decision.ts'
import { onAbort, untilAborted } from '../../core/abort.ts'
import type { EncodedValue } from '../../core/codec.ts'
import type { Lease, ProcessingEntry, Progress } from '../../core/entry.ts'
import { asInspectable } from '../../core/error-text.ts'
import { StoreUnavailable, TaskCancelled } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { Appended, ExecutionContext } from '../../execution/executor.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { AttemptMessage } from '../../telemetry/messages.ts'
import type { GivenInput } from '../call/draft.ts'
import { fillInput, fillInputText } from '../call/fill-input.ts'
import type { InputShare } from '../call/input-budget.ts'
import { whileInvalidating } from '../control/invalidate.ts'
import type { Engine } from '../engine.ts'
import { AppendWriter } from './append.ts'
import { Asker } from './ask.ts'
import { Execution, type Reach } from './execution.ts'
import { followOther, type Inherited } from './follow-other.ts'
import { CancelledButFollowed } from './hand-over.ts'
import { checkLease, limitTime, lost, renewOrStop } from './lease.ts'
import { ProgressReporter } from './progress.ts'
import type { QueueSlot } from './queue.ts'
import { type Outcome, settleAttempt } from './settle.ts'

/** As long as its caller still waits, nobody else was given the handle, to cancel it. Then so little time needs no other look. */
const UNNOTICED_MS = 100

/** One process's hold on a task. */
export interface Hold {
  readonly engine: Engine
  readonly tool: Tool
  readonly refId: RefId
  readonly lease: Lease
  readonly slot: QueueSlot
  /** What the call that began the run gives the handler of an attempt. */
  readonly local: (() => unknown) | undefined
  /** Aborts when the task is cancelled, deleted, lost to another process, or this one closes. */
  readonly signal: AbortSignal
  stop(reason: unknown): void
}

/** One run of the handler. Says when the next one is due; nothing when the task has come to its end. */
export async function attempt(
  hold: Hold,
  entry: ProcessingEntry,
  input: GivenInput | undefined,
): Promise<number | undefined> {
  hold.engine.events.emit(events.started(entry))
  return new Attempt(hold, entry).run(input)
}

/**
 * Runs the handler once, or follows the task whose work this one shares, and settles what came of it. What the handler reports, asks
 * and appends goes into the entry, as long as the task is ours. Most handlers only return, so each of those three begins when it is used.
 */
class Attempt implements Reach {
  /** With the constraints of its input, once that is filled: they say who may hear what it reports. */
  #latest: ProcessingEntry
  /** Its own: its hard timeout must not end the retries, and when it is over its handler hears no more. */
  readonly #controller = new AbortController()
  #execution: Execution
  readonly #begunAt: number
  #progress: ProgressReporter | undefined
  #asker: Asker | undefined
  #appends: AppendWriter | undefined
  #isOver = false
  #endLimit = () => {}
  #leave: (reason: unknown) => void = () => {}
  /** For work that it takes over from another task. */
  askAgain: Reach['askAgain']

  constructor(
    private readonly hold: Hold,
    private readonly entry: ProcessingEntry,
  ) {
    this.#latest = entry
    this.#begunAt = hold.engine.clock.monotonic()
    this.#execution = new Execution(this.#controller, this)
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
      this.#asker = new Asker(this.hold.engine, this.entry, this.hold.slot, this.#controller.signal)
      if (this.#isOver) void this.#asker.end()
    }
    return this.#asker
  }

  get appends(): AppendWriter {
    if (!this.#appends) {
      this.#appends = new AppendWriter(this.hold, this.#controller.signal)
      if (this.#isOver && this.#hasWork) this.#appends.abandon()
    }
    return this.#appends
  }

  get appended(): AppendWriter | undefined {
    return this.#appends
  }

  async run(input: GivenInput | undefined): Promise<number | undefined> {
    const { engine, tool, refId, signal } = this.hold
    const outcome = await this.#outcome(input)
    if (!this.#hasWork) return undefined
    // It was stopped because the task is no longer ours: how it ended says nothing of the task.
    if ('error' in outcome && signal.reason instanceof TaskCancelled) return undefined
    const ended = { entry: this.#latest, tool, begunAt: this.#begunAt, progress: this.#progress?.latest }
    const settled = await settleAttempt(engine, ended, outcome)
    if (settled !== 'refused') return settled
    // The task was cancelled a moment ago; who follows it gets the outcome.
    this.#handOver(lost(await engine.entries.read(refId)))
    return undefined
  }

  /** How the work ended; or why it was stopped, even where the handler goes on. */
  async #outcome(input: GivenInput | undefined): Promise<Outcome> {
    const { signal, slot } = this.hold
    const left = new Promise<never>((_, reject) => {
      this.#leave = reject
    })
    const unlisten = onAbort(signal, () => this.stop(signal.reason))
    let outcome: Outcome
    try {
      outcome = await Promise.race([left, this.#work(input)])
    } catch (thrown) {
      outcome = { error: asInspectable(thrown) }
    } finally {
      unlisten()
      this.#endLimit()
      if (this.#hasWork) this.#execution.leaveBehind(slot)
      this.#isOver = true
      await this.#progress?.end()
      await this.#asker?.end()
    }
    if (this.#hasWork) await this.#keepAppended(outcome)
    return outcome
  }

  async #work(input: GivenInput | undefined): Promise<Outcome> {
    const { entry, hold } = this
    hold.signal.throwIfAborted()
    if (entry.follows === undefined) return this.#runHandler(input)
    const { engine, slot } = hold
    const { progress, asker } = this
    const { signal } = this.#controller
    const followed = await followOther({ engine, entry, follows: entry.follows, progress, asker, signal })
    if ('outcome' in followed) return followed.outcome
    this.#latest = followed.entry
    slot.needsPlace = true
    if (followed.work) return this.#goOn(followed.work)
    await slot.acquire(signal)
    return this.#runHandler(input)
  }

  async #runHandler(input: GivenInput | undefined): Promise<Outcome> {
    const { hold, entry } = this
    const { engine, tool, refId, local } = hold
    const { signal } = this.#controller
    this.#execution.begunAt = engine.clock.monotonic()
    this.#limitTime()
    // Without references the input is what the caller sent.
    const memory = entry.uses && engine.inputs.open()
    try {
      const filled = await fillFor(hold, entry, input, memory, signal)
      this.#latest = filled.entry
      const given = local && (await untilAborted(signal, local))
      memory?.close()
      signal.throwIfAborted()
      const context = this.#execution.context(engine, tool, entry, given)
      const handler = () => runHandler(engine, tool, filled.args, context)
      return await this.#resultOf(this.#execution.run(engine.running, refId, handler))
    } finally {
      // Work that ignores its signal keeps its input until it ends.
      memory?.end()
    }
  }

  /** Goes on with the work of a task that was cancelled. */
  #goOn({ execution, askAgain, from }: Inherited): Promise<Outcome> {
    const { engine, refId, slot } = this.hold
    this.#execution = execution
    this.askAgain = askAgain
    this.#limitTime()
    engine.running.moveHandler(from, refId)
    return this.#resultOf(execution.handTo(this, slot))
  }

  #limitTime(): void {
    const { engine, tool } = this.hold
    this.#endLimit = limitTime(engine, tool.hardTimeout, this, this.#execution.begunAt)
  }

  /** What a handler gave, or appended. */
  async #resultOf(run: Promise<EncodedValue | Appended>): Promise<Outcome> {
    const result = await run
    return 'appended' in result ? this.appends.end() : result
  }

  stop(reason: unknown): void {
    if (!this.#handOver(reason)) {
      this.#execution.abort(reason)
      this.#controller.abort(reason)
    }
    this.#leave(reason)
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
    const isLost = this.hold.signal.reason instanceof TaskCancelled
    if ('error' in outcome && !isLost) await this.#appends?.flush()
    else this.#appends?.abandon()
  }
}

/** A tool that writes does so until its handler has ended, also where nobody waits for it any more. */
async function runHandler(
  engine: Engine,
  tool: Tool,
  input: JsonValue,
  context: ExecutionContext,
): Promise<EncodedValue | Appended> {
  const execute = async () => engine.executorOf(tool).execute(tool.name, input, context)
  const run = tool.invalidates.length === 0 ? execute : () => whileInvalidating(engine, tool, execute)
  const heard = isHeard(channels.attempt) ? traced(engine, tool, context, run) : run
  return tool.readOnly === false ? engine.sharedRuns.duringWrite(context.signal, heard) : heard()
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
  return new ProgressReporter(engine.clock, begunAt, write, onReport)
}

/** The input with values in the places of its references, and the entry that knows of them. Fills no more once the signal has aborted. */
async function fillFor(
  { engine, tool, refId, lease }: Hold,
  entry: ProcessingEntry,
  input: GivenInput | undefined,
  memory: InputShare | undefined,
  signal: AbortSignal,
): Promise<{ readonly args: JsonValue; readonly entry: ProcessingEntry }> {
  if (input === undefined) throw new StoreUnavailable('The input of this task is gone from the store.')
  const asText = engine.executorOf(tool).inputAs === 'json'
  if (!memory) return { args: asText ? input.json : parseJson(input.json), entry }
  let derived = entry
  const guard = async (derivedFrom: readonly SourceConstraint[]) => {
    if (derivedFrom.length === (entry.derivedFrom?.length ?? 0)) return
    const changed = await engine.entries.change(refId, { type: 'derive', owner: lease.owner, derivedFrom })
    if (changed.refused || changed.entry?.status !== 'processing') throw lost()
    derived = changed.entry
  }
  const begunAt = engine.clock.monotonic()
  const take = (bytes: number) => memory.take(bytes, signal)
  const fill = asText ? fillInputText : fillInput
  const args = await fill(engine, tool, entry, input, guard, take, signal)
  // Filling may take a while, and what another process did to the task meanwhile may not have been noticed yet.
  const isBrief = engine.clock.monotonic() - begunAt < UNNOTICED_MS && engine.errors.isAwaited(refId)
  if (!isBrief) await checkLease(engine, refId, lease)
  return { args, entry: derived }
}
