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
import type { GivenInput } from '../call/draft.ts'
import { fillInput } from '../call/fill-input.ts'
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
  const { engine, tool, refId, signal } = hold
  engine.events.emit(events.started(entry))
  const begunAt = engine.clock.monotonic()
  const { outcome, progress, latest, execution, isOwn } = await execute(hold, entry, input)
  if (!isOwn) return undefined
  // It was stopped because the task is no longer ours: how it ended says nothing of the task.
  if ('error' in outcome && signal.reason instanceof TaskCancelled) return undefined
  const settled = await settleAttempt(engine, { entry: latest, tool, begunAt, progress }, outcome)
  if (settled !== 'refused') return settled
  // The task was cancelled a moment ago; who follows it gets the outcome.
  handOver(hold, execution, lost(await engine.entries.read(refId)))
  return undefined
}

async function execute(hold: Hold, entry: ProcessingEntry, input: GivenInput | undefined) {
  const { engine, tool, refId } = hold
  /** With the constraints of its input, once that is filled: they say who may hear what it reports. */
  let latest = entry
  const progress = progressReporter(hold, report => engine.progress.tell({ ...latest, progress: report }))
  // The attempt's own: its hard timeout must not end the retries, and when it is over its handler hears no more.
  const own = new AbortController()
  const asker = new Asker(engine, entry, hold.slot, own.signal)
  const appends = new AppendWriter(hold, own.signal)
  const reach = { progress, asker, appends }
  let execution = new Execution(own, reach)
  let leave: (reason: unknown) => void = () => {}
  const left = new Promise<never>((_, reject) => {
    leave = reject
  })
  const stop = (reason: unknown) => {
    if (!handOver(hold, execution, reason)) {
      execution.abort(reason)
      own.abort(reason)
    }
    leave(reason)
  }
  const unlisten = onAbort(hold.signal, () => stop(hold.signal.reason))
  let unlimit = () => {}
  const work = async (): Promise<Outcome> => {
    hold.signal.throwIfAborted()
    if (entry.follows !== undefined) {
      const followed = await followOther({
        engine,
        entry,
        follows: entry.follows,
        progress,
        asker,
        signal: own.signal,
      })
      if ('outcome' in followed) return followed.outcome
      latest = followed.entry
      hold.slot.needsPlace = true
      if (followed.work) {
        execution = followed.work.execution
        unlimit = limitTime(engine, tool.hardTimeout, stop, execution.begunAt)
        return await resultOf(goOn(hold, followed.work, reach), appends)
      }
      await hold.slot.acquire(own.signal)
    }
    execution.begunAt = engine.clock.monotonic()
    unlimit = limitTime(engine, tool.hardTimeout, stop, execution.begunAt)
    // Without references the input is what the caller sent.
    const memory = entry.uses && engine.inputs.open()
    try {
      const filled = await fillFor(hold, entry, input, memory, own.signal)
      latest = filled.entry
      const local = hold.local && (await untilAborted(own.signal, hold.local))
      memory?.close()
      own.signal.throwIfAborted()
      const context = execution.context(engine, entry, local)
      const run = execution.run(engine.running, refId, () => runHandler(engine, tool, filled.args, context))
      return await resultOf(run, appends)
    } finally {
      // Work that ignores its signal keeps its input until it ends.
      memory?.end()
    }
  }
  let outcome: Outcome
  try {
    outcome = await Promise.race([left, work()])
  } catch (thrown) {
    outcome = { error: asInspectable(thrown) }
  } finally {
    unlisten()
    unlimit()
    if (execution.isFor(asker)) execution.leaveBehind(hold.slot)
    await progress.end()
    await asker.end()
  }
  if (execution.isFor(asker)) await keepAppended(hold, appends, outcome)
  return { outcome, progress: progress.latest, latest, execution, isOwn: execution.isFor(asker) }
}

/** What a handler gave, or appended. */
async function resultOf(run: Promise<EncodedValue | Appended>, appends: AppendWriter): Promise<Outcome> {
  const result = await run
  return 'appended' in result ? appends.end() : result
}

/** An attempt that failed keeps what it has appended. Where the task is no longer ours there is nothing to write. */
async function keepAppended({ signal }: Hold, appends: AppendWriter, outcome: Outcome): Promise<void> {
  if ('error' in outcome && !(signal.reason instanceof TaskCancelled)) await appends.flush()
  else appends.abandon()
}

/** Work that runs for a task which was cancelled is for those who follow it. False where there is no such work, or nobody. */
function handOver({ engine, slot }: Hold, execution: Execution, reason: unknown): boolean {
  if (!(reason instanceof CancelledButFollowed) || !execution.hasBegun) return false
  execution.beginHandOver(slot.detach())
  engine.handOvers.offer(reason.entry, execution)
  return true
}

/** Goes on with the work of a task that was cancelled. */
function goOn(
  { engine, refId, slot }: Hold,
  { execution, askAgain, from }: Inherited,
  reach: Reach,
): Promise<EncodedValue | Appended> {
  engine.running.moveHandler(from, refId)
  return execution.handTo({ ...reach, askAgain }, slot)
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
  return tool.readOnly === false ? engine.sharedRuns.duringWrite(context.signal, run) : run()
}

/** Writes what the handler reports into the entry, as long as the task is ours. */
function progressReporter(
  { engine, refId, lease, stop }: Hold,
  tell: (progress: Progress) => void,
): ProgressReporter {
  const write = async (progress: Progress, pace: number | undefined) => {
    const now = engine.clock.now()
    const event = { type: 'progress', owner: lease.owner, progress, pace, now } as const
    const changed = await renewOrStop(engine, refId, event, stop)
    if (changed?.entry?.status === 'processing') engine.events.emit(events.progress(changed.entry))
  }
  return new ProgressReporter(engine.clock, write, tell)
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
  if (!memory) return { args: parseJson(input.json), entry }
  let derived = entry
  const guard = async (derivedFrom: readonly SourceConstraint[]) => {
    if (derivedFrom.length === (entry.derivedFrom?.length ?? 0)) return
    const changed = await engine.entries.change(refId, { type: 'derive', owner: lease.owner, derivedFrom })
    if (changed.refused || changed.entry?.status !== 'processing') throw lost()
    derived = changed.entry
  }
  const begunAt = engine.clock.monotonic()
  const take = (bytes: number) => memory.take(bytes, signal)
  const args = await fillInput(engine, tool, entry, input, guard, take, signal)
  // Filling may take a while, and what another process did to the task meanwhile may not have been noticed yet.
  const isBrief = engine.clock.monotonic() - begunAt < UNNOTICED_MS && engine.thrown.isAwaited(refId)
  if (!isBrief) await checkLease(engine, refId, lease)
  return { args, entry: derived }
}
