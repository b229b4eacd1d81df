import { decode } from '../core/codec.ts'
import type { Lease, ProcessingEntry } from '../core/entry.ts'
import { StoreUnavailable, WorkerLost } from '../core/errors.ts'
import { events } from '../core/events.ts'
import type { RefId } from '../core/ref.ts'
import type { ProgressReport, TaskContext, Tool } from '../core/tool.ts'
import type { Perform } from '../runners/runner.ts'
import { following, pause, untilAborted } from './abort.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import { guardLease, limitTime, sustain } from './guards.ts'
import { ProgressReporter } from './progress.ts'
import type { Place } from './queue.ts'
import { conclude, type Outcome } from './settle.ts'
import { encodeValue } from './values.ts'

/** How the holder of a lease runs a task, attempt by attempt, from `pending` to its settlement. */
export function performer(engine: Engine, tool: Tool, lease: Lease, first: Place): Perform {
  return async (refId, signal) => {
    const unguard = guardLease(engine, refId, lease)
    let place = first
    try {
      for (let retries = 0; ; retries++) {
        await place.turn(signal)
        const retryAt = await attempt(engine, tool, refId, lease.owner, retries, signal)
        if (retryAt === undefined) return
        place.leave()
        await pause(engine.clock, retryAt - engine.clock.now(), signal)
        place = engine.queue.enterAgain(tool.name, tool.maxConcurrentTasks)
      }
    } catch (cause) {
      await letGo(engine, refId, lease, cause)
    } finally {
      place.leave()
      unguard()
    }
  }
}

/** One run of the handler. Says when the next one is due; nothing when the task has come to its end. */
async function attempt(
  engine: Engine,
  tool: Tool,
  refId: RefId,
  owner: string,
  retries: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { entry, refused } = await change(engine, refId, { type: 'start', owner, now: engine.clock.now() })
  // Refused: cancelled, or taken over by another process, before it began.
  if (refused || entry?.status !== 'processing') return undefined
  engine.events.emit(events.started(entry))
  const { outcome, progress } = await execute(engine, tool, entry, signal)
  return conclude(engine, { entry, tool, retries, progress }, outcome)
}

async function execute(engine: Engine, tool: Tool, entry: ProcessingEntry, signal: AbortSignal) {
  const { refId } = entry
  const progress = new ProgressReporter(engine.clock, async (latest, pace) => {
    const owner = entry.lease.owner
    const changed = await sustain(engine, refId, { type: 'progress', owner, progress: latest, pace })
    if (changed?.entry?.status === 'processing') engine.events.emit(events.progress(changed.entry))
  })
  const unlimit = limitTime(engine, refId, tool.hardTimeout)
  // A handler that has ended must not hear of an abort: its own settlement looks like a loss to the guards.
  const handlers = following(signal)
  let outcome: Outcome
  try {
    const input = await readInput(engine, refId)
    const result = await untilAborted(signal, () =>
      tool.handler(input, contextOf(entry, handlers.signal, progress)),
    )
    outcome = { value: await encodeValue(engine, result) }
  } catch (error) {
    outcome = { error }
  } finally {
    handlers.end()
    unlimit()
    await progress.end()
  }
  return { outcome, progress: progress.latest }
}

async function readInput(engine: Engine, refId: RefId): Promise<never> {
  const bytes = await engine.store.read(refId, 'input')
  if (!bytes) throw new StoreUnavailable('The input of this task is gone from the store.')
  // The tool's own schema vouched for the type when the input was stored.
  return JSON.parse(await decode(bytes)) as never
}

function contextOf(entry: ProcessingEntry, signal: AbortSignal, progress: ProgressReporter): TaskContext {
  return {
    refId: entry.refId,
    attempt: entry.attempt,
    signal,
    progress(current: number | ProgressReport, total?: number, message?: string) {
      progress.report(typeof current === 'object' ? current : { current, total, message })
    },
  }
}

/** The task ends here without a settlement: it waited when the process closed or it was cancelled, or the store failed. */
async function letGo(engine: Engine, refId: RefId, { owner }: Lease, cause: unknown): Promise<void> {
  engine.thrown.abandon(refId, cause)
  if (!(cause instanceof WorkerLost)) return
  // It had not begun: any process may begin it, and at once. Where the store is away, the lease runs out instead.
  await change(engine, refId, { type: 'release', owner }).catch(() => {})
}
