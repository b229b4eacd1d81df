import { describedActor } from '../../access/actor.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { abortableUnder, pause, untilAborted } from '../../core/abort.ts'
import { decode, type EncodedValue } from '../../core/codec.ts'
import type { InFlightEntry, Lease, PendingEntry, ProcessingEntry, Progress } from '../../core/entry.ts'
import { asInspectable } from '../../core/error-text.ts'
import { StoreUnavailable, TaskCancelled, WorkerLost } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import { isSuspect } from '../../core/losses.ts'
import type { RefId } from '../../core/ref.ts'
import { timeUntil } from '../../core/retry-policy.ts'
import type { Tool } from '../../core/tool.ts'
import type { ExecutionContext } from '../../execution/executor.ts'
import type { GivenInput } from '../call/draft.ts'
import { fillInput } from '../call/fill-input.ts'
import type { InputShare } from '../call/input-budget.ts'
import { anyInFlight, waitUntilSettled } from '../call/references.ts'
import { whileInvalidating } from '../control/invalidate.ts'
import type { Engine } from '../engine.ts'
import { Asker } from './ask.ts'
import { followOther } from './follow-other.ts'
import { checkLease, holdLease, limitTime, lost, renewOrStop } from './lease.ts'
import { ProgressReporter } from './progress.ts'
import { QueueSlot, type Ticket } from './queue.ts'
import type { HandlerRun } from './running.ts'
import { type Outcome, settleAttempt } from './settle.ts'

/** As long as its caller still waits, nobody else was given the handle, to cancel it. Then so little time needs no other look. */
const UNNOTICED_MS = 100

/** One process's hold on a task. */
interface Hold {
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

interface Beginning {
  /** Its place in the queue, where it has one. */
  readonly ticket: Ticket | undefined
  /** Its input, where this process has it. */
  readonly given: GivenInput | undefined
  /** Of this run alone. */
  readonly controller: AbortController
}

/** Runs a task whose lease this process holds, attempt by attempt, to its settlement. Never rejects. */
export async function runTask(
  engine: Engine,
  tool: Tool,
  claimed: InFlightEntry,
  { ticket, given, controller }: Beginning,
): Promise<void> {
  const { refId, lease, losses } = claimed
  const { signal } = controller
  const stop = (reason: unknown) => controller.abort(reason)
  const alone = isSuspect(losses)
    ? new QueueSlot(undefined, engine.suspects, { name: 'suspects' })
    : undefined
  const slot = new QueueSlot(ticket, engine.queue, tool, alone)
  const local = given?.local && localFrom(given.local, ticket?.mayRun ?? false)
  const hold: Hold = { engine, tool, refId, lease, slot, local, signal, stop }
  const releaseLease = holdLease(engine, claimed, hold.stop)
  try {
    let dueAt =
      claimed.status === 'processing' ? await attempt(hold, claimed, given) : await runFirst(hold, claimed)
    while (dueAt !== undefined) dueAt = await runWhenDue(hold, dueAt)
  } catch (cause) {
    await release(hold, cause)
  } finally {
    slot.leave()
    releaseLease()
  }
}

/** For an attempt that may begin at once it is asked for now: a call that takes the handle alone is soon over. */
function localFrom(ask: () => unknown, beginsNow: boolean): () => unknown {
  // What it throws is the error of the attempt.
  let first = beginsNow ? new Promise(resolve => resolve(ask())) : undefined
  first?.catch(() => {})
  return () => {
    const local = first ?? ask()
    first = undefined
    return local
  }
}

/** The first attempt of work that did not begin with its claim. */
async function runFirst(
  hold: Hold,
  { uses = [], retryAt, follows }: PendingEntry,
): Promise<number | undefined> {
  const { engine, slot, signal } = hold
  // To follow another task takes no place in the queue.
  if (follows !== undefined) return begin(hold)
  if (uses.length > 0 && (await anyInFlight(engine, uses))) {
    // Whoever waits for others must not stand in their way.
    slot.stepAside()
    await waitUntilSettled(engine, uses, signal)
  }
  return runWhenDue(hold, retryAt)
}

async function runWhenDue(hold: Hold, dueAt: number | undefined): Promise<number | undefined> {
  await untilDue(hold, dueAt)
  await hold.slot.acquire(hold.signal)
  return begin(hold)
}

/** Waits, without a place in the queue, until the attempt is due and the handler no longer runs for an earlier one. */
async function untilDue({ engine, refId, slot, signal }: Hold, dueAt: number | undefined): Promise<void> {
  if (dueAt !== undefined) {
    slot.leave()
    await pause(engine.clock, timeUntil(dueAt, engine.clock.now()), signal)
  }
  const earlier = engine.running.handlerOf(refId)
  if (!earlier) return
  slot.leave()
  await untilAborted(signal, () => earlier)
}

async function begin(hold: Hold): Promise<number | undefined> {
  const { engine, refId, lease, signal } = hold
  // Before the start: a store that fails now leaves a task that has not begun, which may begin anywhere.
  const bytes = await engine.store.read(refId, 'input')
  const input = bytes && (await decode(bytes))
  signal.throwIfAborted()
  const now = engine.clock.now()
  const { entry, refused } = await engine.entries.change(refId, { type: 'start', owner: lease.owner, now })
  // Refused: cancelled, or taken over by another process, before it began.
  if (refused || entry?.status !== 'processing') return undefined
  return attempt(hold, entry, input === undefined ? undefined : { json: input })
}

/** One run of the handler. Says when the next one is due; nothing when the task has come to its end. */
async function attempt(
  hold: Hold,
  entry: ProcessingEntry,
  input: GivenInput | undefined,
): Promise<number | undefined> {
  const { engine, tool, signal } = hold
  engine.events.emit(events.started(entry))
  const begunAt = engine.clock.monotonic()
  const { outcome, progress } = await execute(hold, entry, input)
  // It was stopped because the task is no longer ours: how it ended says nothing of the task.
  if ('error' in outcome && signal.reason instanceof TaskCancelled) return undefined
  return settleAttempt(engine, { entry, tool, begunAt, progress }, outcome)
}

async function execute(hold: Hold, entry: ProcessingEntry, input: GivenInput | undefined) {
  const { engine, tool, refId } = hold
  /** With the constraints of its input, once that is filled: they say who may hear what it reports. */
  let running = entry
  const progress = progressReporter(hold, latest => engine.progress.tell({ ...running, progress: latest }))
  // The attempt's own: its hard timeout must not end the retries, and when it is over its handler hears no more.
  const own = abortableUnder(hold.signal)
  const asker = new Asker(engine, entry, hold.slot, own.signal)
  let unlimit = () => {}
  let run: HandlerRun<EncodedValue> | undefined
  const work = async (): Promise<Outcome> => {
    if (entry.follows !== undefined) {
      const other = { engine, entry, follows: entry.follows, progress, asker, signal: own.signal }
      const followed = await followOther(other)
      if (followed) return followed
      await hold.slot.acquire(own.signal)
    }
    unlimit = limitTime(engine, tool.hardTimeout, own.abort)
    // Without references the input is what the caller sent.
    const memory = entry.uses && engine.inputs.open()
    try {
      const filled = await fillFor(hold, entry, input, memory, own.signal)
      running = filled.entry
      const local = hold.local && (await untilAborted(own.signal, hold.local))
      memory?.close()
      own.signal.throwIfAborted()
      const context = executionContext(engine, entry, { signal: own.signal, progress, asker, local })
      run = engine.running.beginHandler(refId, () => runHandler(engine, tool, filled.args, context))
      return await run.result()
    } finally {
      // Work that ignores its signal keeps its input until it ends.
      memory?.end()
    }
  }
  let outcome: Outcome
  try {
    outcome = await untilAborted(own.signal, work)
  } catch (thrown) {
    outcome = { error: asInspectable(thrown) }
  } finally {
    own.end()
    unlimit()
    if (run?.goesOn) hold.slot.leaveAfter(run.leaveBehind())
    await progress.end()
    await asker.end()
  }
  return { outcome, progress: progress.latest }
}

/** A tool that writes does so until its handler has ended, also where nobody waits for it any more. */
async function runHandler(
  engine: Engine,
  tool: Tool,
  input: JsonValue,
  context: ExecutionContext,
): Promise<EncodedValue> {
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

/** What one attempt's handler has to do with. */
interface Reach {
  readonly signal: AbortSignal
  readonly progress: ProgressReporter
  readonly asker: Asker
  readonly local: unknown
}

function executionContext(
  { encoding, lateClaims }: Engine,
  { refId, attempt, startedBy }: ProcessingEntry,
  { signal, progress, asker, local }: Reach,
): ExecutionContext {
  return {
    get refId() {
      // Whoever hands it on may have it asked for.
      lateClaims.keepTrying(refId)
      return refId
    },
    attempt,
    startedBy: describedActor(startedBy),
    local,
    signal,
    encoding,
    progress: report => progress.report(report),
    ask: (method, params, givenUp) => asker.ask(method, params, givenUp),
  }
}

/** The hold ends without a settlement of its own: the task waited when something happened, or the store failed. */
async function release({ engine, refId, lease }: Hold, cause: unknown): Promise<void> {
  // Whatever it was, whoever waits hears of it now.
  if (!(cause instanceof WorkerLost || cause instanceof TaskCancelled)) engine.thrown.abandon(refId, cause)
  if (!(cause instanceof WorkerLost)) return
  // It had not begun: any process may begin it, and at once. Where the store is away, the lease runs out instead.
  const now = engine.clock.now()
  await engine.entries.change(refId, { type: 'release', owner: lease.owner, now }).catch(() => {})
}
