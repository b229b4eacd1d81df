import type { SourceConstraint } from '../../access/decision.ts'
import { decode } from '../../core/codec.ts'
import type { Entry, InFlightEntry, Lease, PendingEntry, ProcessingEntry } from '../../core/entry.ts'
import { asInspectable } from '../../core/error-text.ts'
import { StoreUnavailable, TaskCancelled, WorkerLost } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import { isSuspect } from '../../core/losses.ts'
import type { ElicitResult } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import { timeUntil } from '../../core/retry-policy.ts'
import type { ProgressReport, TaskContext, Tool } from '../../core/tool.ts'
import type { Perform } from '../../execution/runner.ts'
import type { GivenInput } from '../call/draft.ts'
import { fillInput } from '../call/fill-input.ts'
import { anyInFlight, waitUntilSettled } from '../call/references.ts'
import { change } from '../change.ts'
import type { Engine } from '../engine.ts'
import { encodeValue } from '../read/values.ts'
import { abortableUnder, pause, untilAborted } from './abort.ts'
import { Asker } from './ask.ts'
import type { HandlerRun } from './handler-runs.ts'
import { checkLease, holdLease, limitTime, lost, renewOrStop } from './lease.ts'
import { ProgressReporter } from './progress.ts'
import type { Ticket } from './queue.ts'
import { type Outcome, settleAttempt } from './settle.ts'
import { QueueSlot } from './slot.ts'

/** As long as its caller still waits, nobody else was given the handle, to cancel it. Then so little time needs no other look. */
const UNNOTICED_MS = 100

/** One process's hold on a task. */
interface Hold {
  readonly engine: Engine
  readonly tool: Tool
  readonly refId: RefId
  readonly lease: Lease
  readonly seat: QueueSlot
  /** Aborts when the task is cancelled, deleted, lost to another process, or this one closes. */
  readonly signal: AbortSignal
  stop(reason: unknown): void
}

/** How the holder of a lease runs a task, attempt by attempt, from `pending` to its settlement. */
export function performer(
  engine: Engine,
  tool: Tool,
  claimed: InFlightEntry,
  place: Ticket | undefined,
  given: GivenInput | undefined,
): Perform {
  const { lease, losses } = claimed
  return async (refId, signal) => {
    const own = abortableUnder(signal)
    const alone = isSuspect(losses)
      ? new QueueSlot(undefined, engine.suspects, { name: 'suspects' })
      : undefined
    const seat = new QueueSlot(place, engine.queue, tool, alone)
    const hold: Hold = { engine, tool, refId, lease, seat, signal: own.signal, stop: own.abort }
    const unguard = holdLease(engine, claimed, hold.stop)
    try {
      let dueAt =
        claimed.status === 'processing' ? await attempt(hold, claimed, given) : await runFirst(hold, claimed)
      while (dueAt !== undefined) dueAt = await runWhenDue(hold, dueAt)
    } catch (cause) {
      await release(hold, cause)
    } finally {
      seat.leave()
      unguard()
      own.end()
    }
  }
}

/** The first attempt of work that did not begin with its claim. */
async function runFirst(hold: Hold, { uses = [], retryAt }: PendingEntry): Promise<number | undefined> {
  const { engine, seat, signal } = hold
  if (uses.length > 0 && (await anyInFlight(engine, uses))) {
    // Whoever waits for others must not stand in their way.
    seat.stepAside()
    await waitUntilSettled(engine, uses, signal)
  }
  return runWhenDue(hold, retryAt)
}

async function runWhenDue(hold: Hold, dueAt: number | undefined): Promise<number | undefined> {
  await untilDue(hold, dueAt)
  await hold.seat.acquire(hold.signal)
  return begin(hold)
}

/** Waits, without a place in the queue, until the attempt is due and the handler no longer runs for an earlier one. */
async function untilDue({ engine, refId, seat, signal }: Hold, dueAt: number | undefined): Promise<void> {
  if (dueAt !== undefined) {
    seat.leave()
    await pause(engine.clock, timeUntil(dueAt, engine.clock.now()), signal)
  }
  const earlier = engine.runs.of(refId)
  if (!earlier) return
  seat.leave()
  await untilAborted(signal, () => earlier)
}

async function begin(hold: Hold): Promise<number | undefined> {
  const { engine, refId, lease, signal } = hold
  // Before the start: a store that fails now leaves a task that has not begun, which may begin anywhere.
  const bytes = await engine.store.read(refId, 'input')
  const input = bytes && (await decode(bytes))
  signal.throwIfAborted()
  const now = engine.clock.now()
  const { entry, refused } = await change(engine, refId, { type: 'start', owner: lease.owner, now })
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
  const progress = progressReporter(hold)
  // The attempt's own: its hard timeout must not end the retries, and when it is over its handler hears no more.
  const own = abortableUnder(hold.signal)
  const asker = new Asker(engine, entry, hold.seat, own.signal)
  const unlimit = limitTime(engine, tool.hardTimeout, own.abort)
  let run = undefined as HandlerRun | undefined
  const work = async () => {
    const memory = engine.inputs.open()
    try {
      const take = (bytes: number) => memory.take(bytes, own.signal)
      const args = await argumentsFor(hold, entry, input, take, own.signal)
      memory.close()
      own.signal.throwIfAborted()
      run = engine.runs.begin(refId, async () =>
        tool.handler(args, contextOf(entry, own.signal, progress, asker)),
      )
      return await run.result()
    } finally {
      // Work that ignores its signal keeps its input until it ends.
      memory.end()
    }
  }
  let outcome: Outcome
  try {
    const result = await untilAborted(own.signal, work)
    outcome = await encodeValue(engine, result, tool.verbatim)
  } catch (thrown) {
    outcome = { error: asInspectable(thrown) }
  } finally {
    own.end()
    unlimit()
    if (run?.goesOn) hold.seat.leaveAfter(run.leaveBehind())
    await progress.end()
    await asker.end()
  }
  return { outcome, progress: progress.latest }
}

/** Writes what the handler reports into the entry, as long as the task is ours. */
function progressReporter({ engine, refId, lease, stop }: Hold): ProgressReporter {
  return new ProgressReporter(engine.clock, async (latest, pace) => {
    const now = engine.clock.now()
    const event = { type: 'progress', owner: lease.owner, progress: latest, pace, now } as const
    const changed = await renewOrStop(engine, refId, event, stop)
    if (changed?.entry?.status === 'processing') engine.events.emit(events.progress(changed.entry))
  })
}

/** The input as the handler gets it. Fills no more of it once the signal has aborted. */
async function argumentsFor(
  { engine, tool, refId, lease }: Hold,
  entry: Entry,
  input: GivenInput | undefined,
  memory: (bytes: number) => Promise<void>,
  signal: AbortSignal,
): Promise<never> {
  if (input === undefined) throw new StoreUnavailable('The input of this task is gone from the store.')
  const guard = async (derivedFrom: readonly SourceConstraint[]) => {
    if (derivedFrom.length === (entry.derivedFrom?.length ?? 0)) return
    const { refused } = await change(engine, refId, { type: 'derive', owner: lease.owner, derivedFrom })
    if (refused) throw lost()
  }
  const begunAt = engine.clock.monotonic()
  const args = await fillInput(engine, tool, entry, input, guard, memory, signal)
  // Filling may take a while, and what another process did to the task meanwhile may not have been noticed yet.
  const isBrief = engine.clock.monotonic() - begunAt < UNNOTICED_MS && engine.thrown.isAwaited(refId)
  if (entry.uses && !isBrief) await checkLease(engine, refId, lease)
  // The tool's own schema vouched for the type.
  return args as never
}

function contextOf(
  entry: ProcessingEntry,
  signal: AbortSignal,
  progress: ProgressReporter,
  asker: Asker,
): TaskContext {
  return {
    refId: entry.refId,
    attempt: entry.attempt,
    signal,
    progress(current: number | ProgressReport, total?: number, message?: string) {
      progress.report(typeof current === 'object' ? current : { current, total, message })
    },
    // Its shape was checked when it was given.
    elicit: (params, { signal } = {}) =>
      asker.ask('elicitation/create', params, signal) as Promise<unknown> as Promise<ElicitResult>,
    sample: (params, { signal } = {}) => asker.ask('sampling/createMessage', params, signal),
  }
}

/** The hold ends without a settlement of its own: the task waited when something happened, or the store failed. */
async function release({ engine, refId, lease }: Hold, cause: unknown): Promise<void> {
  // Whatever it was, whoever waits hears of it now.
  if (!(cause instanceof WorkerLost || cause instanceof TaskCancelled)) engine.thrown.abandon(refId, cause)
  if (!(cause instanceof WorkerLost)) return
  // It had not begun: any process may begin it, and at once. Where the store is away, the lease runs out instead.
  const now = engine.clock.now()
  await change(engine, refId, { type: 'release', owner: lease.owner, now }).catch(() => {})
}
