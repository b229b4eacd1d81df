import type { Guard } from '../access/decision.ts'
import { decode } from '../core/codec.ts'
import type { Entry, Lease, ProcessingEntry } from '../core/entry.ts'
import { StoreUnavailable, WorkerLost } from '../core/errors.ts'
import { events } from '../core/events.ts'
import type { ElicitResult } from '../core/question.ts'
import type { RefId } from '../core/ref.ts'
import type { ProgressReport, TaskContext, Tool } from '../core/tool.ts'
import type { Perform } from '../runners/runner.ts'
import { abortableUnder, pause, untilAborted } from './abort.ts'
import { Asker } from './ask.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import { guardLease, limitTime, lost, sustain } from './hold.ts'
import { ProgressReporter } from './progress.ts'
import type { Place } from './queue.ts'
import { fillInput, inFlight, settled } from './references.ts'
import { Seat } from './seat.ts'
import { conclude, type Outcome } from './settle.ts'
import { encodeValue } from './values.ts'

/** One process's hold on a task. */
interface Hold {
  readonly engine: Engine
  readonly tool: Tool
  readonly refId: RefId
  readonly lease: Lease
  readonly seat: Seat
  /** Aborts when the task is cancelled, deleted, lost to another process, or this one closes. */
  readonly signal: AbortSignal
  stop(reason: unknown): void
}

/** How the holder of a lease runs a task, attempt by attempt, from `pending` to its settlement. */
export function performer(
  engine: Engine,
  tool: Tool,
  lease: Lease,
  first: Place,
  uses: readonly RefId[] = [],
): Perform {
  return async (refId, signal) => {
    const own = abortableUnder(signal)
    const seat = new Seat(first, engine.queue, tool)
    const hold: Hold = { engine, tool, refId, lease, seat, signal: own.signal, stop: own.abort }
    const unguard = guardLease(engine, refId, lease, hold.stop)
    try {
      if (uses.length > 0 && (await inFlight(engine, uses))) {
        // Whoever waits for others must not stand in their way.
        seat.stepAside()
        await settled(engine, uses, hold.signal)
      }
      for (let retries = 0; ; retries++) {
        await seat.turn(hold.signal)
        const retryAt = await attempt(hold, retries)
        if (retryAt === undefined) return
        seat.leave()
        await pause(engine.clock, retryAt - engine.clock.now(), hold.signal)
      }
    } catch (cause) {
      await letGo(hold, cause)
    } finally {
      seat.leave()
      unguard()
      own.end()
    }
  }
}

/** One run of the handler. Says when the next one is due; nothing when the task has come to its end. */
async function attempt(hold: Hold, retries: number): Promise<number | undefined> {
  const { engine, tool, refId, lease } = hold
  // Before the start: a store that fails now leaves a task that has not begun, which may begin anywhere.
  const input = await engine.store.read(refId, 'input')
  const now = engine.clock.now()
  const { entry, refused } = await change(engine, refId, { type: 'start', owner: lease.owner, now })
  // Refused: cancelled, or taken over by another process, before it began.
  if (refused || entry?.status !== 'processing') return undefined
  engine.events.emit(events.started(entry))
  const { outcome, progress } = await execute(hold, entry, input)
  return conclude(engine, { entry, tool, retries, progress }, outcome)
}

async function execute(hold: Hold, entry: ProcessingEntry, input: Uint8Array | undefined) {
  const { engine, tool, refId, lease } = hold
  const progress = new ProgressReporter(engine.clock, async (latest, pace) => {
    const now = engine.clock.now()
    const event = { type: 'progress', owner: lease.owner, progress: latest, pace, now } as const
    const changed = await sustain(engine, refId, event, hold.stop)
    if (changed?.entry?.status === 'processing') engine.events.emit(events.progress(changed.entry))
  })
  // The attempt's own: its hard timeout must not end the retries, and when it is over its handler hears no more.
  const own = abortableUnder(hold.signal)
  const asker = new Asker(engine, entry, hold.seat, own.signal)
  const unlimit = limitTime(engine, tool.hardTimeout, own.abort)
  const work = async () => {
    const memory = engine.inputs.open()
    try {
      const take = (bytes: number) => memory.take(bytes, own.signal)
      const args = await argumentsFor(hold, entry, input, take)
      memory.close()
      return await tool.handler(args, contextOf(entry, own.signal, progress, asker))
    } finally {
      // Work that ignores its signal keeps its input until it ends.
      memory.end()
    }
  }
  let outcome: Outcome
  try {
    const result = await untilAborted(own.signal, work)
    outcome = await encodeValue(engine, result, tool.verbatim)
  } catch (error) {
    outcome = { error }
  } finally {
    own.end()
    unlimit()
    await progress.end()
    await asker.end()
  }
  return { outcome, progress: progress.latest }
}

async function argumentsFor(
  hold: Hold,
  entry: Entry,
  bytes: Uint8Array | undefined,
  memory: (bytes: number) => Promise<void>,
): Promise<never> {
  if (!bytes) throw new StoreUnavailable('The input of this task is gone from the store.')
  const { engine, tool, refId, lease } = hold
  const guard = async (derivedFrom: readonly Guard[]) => {
    if (derivedFrom.length === (entry.derivedFrom?.length ?? 0)) return
    const { refused } = await change(engine, refId, { type: 'derive', owner: lease.owner, derivedFrom })
    if (refused) throw lost()
  }
  // The tool's own schema vouched for the type.
  return (await fillInput(engine, tool, entry, await decode(bytes), guard, memory)) as never
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
async function letGo({ engine, refId, lease }: Hold, cause: unknown): Promise<void> {
  if (cause instanceof StoreUnavailable) engine.thrown.abandon(refId, cause)
  if (!(cause instanceof WorkerLost)) return
  // It had not begun: any process may begin it, and at once. Where the store is away, the lease runs out instead.
  const now = engine.clock.now()
  await change(engine, refId, { type: 'release', owner: lease.owner, now }).catch(() => {})
}
