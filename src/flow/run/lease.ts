import { type Entry, type InFlightEntry, isInFlight, type Lease } from '../../core/entry.ts'
import type { EntryEvent } from '../../core/entry-event.ts'
import { HardTimeout, type TaskCancelled } from '../../core/errors.ts'
import { hexOf, type RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import type { Change } from '../entries.ts'
import { stopReason } from './hand-over.ts'

export type HeldTask = Pick<InFlightEntry, 'refId' | 'lease'>

/** Tells the work of one performer to stop. Never by reference: that may belong to a newer performer by now. */
export type Stop = (reason: unknown) => void

/** Signs of life of this process, and notice of its loss, for as long as it has the task. Returns the end of the notice. */
export function holdLease(engine: Engine, entry: InFlightEntry, stop: Stop): () => void {
  engine.heartbeat.begin()
  return watchForLoss(engine, entry, stop)
}

/** A step of a task that is still ours; when it no longer is, the work is told to stop. */
export async function renewOrStop(
  engine: Engine,
  refId: RefId,
  event: EntryEvent,
  stop: Stop,
): Promise<Change | undefined> {
  try {
    const changed = await engine.entries.change(refId, event)
    if (changed.refused) stop(lost(changed.entry))
    return changed
  } catch {
    // The store is away for the moment, and the settlement waits for it.
    return undefined
  }
}

/** @throws TaskCancelled when the task was cancelled, deleted or taken over, noticed or not */
export async function checkLease(engine: Engine, refId: RefId, { owner }: Lease): Promise<void> {
  const entry = await engine.entries.readAnew(refId)
  if (!isHeldBy(entry, owner)) throw lost()
}

/** Aborts work that runs for too long, from `begunAt` of the monotonic clock on. Returns the end of the watch. */
export function limitTime(engine: Engine, ms: number | undefined, stop: Stop, begunAt: number): () => void {
  if (ms === undefined) return () => {}
  const rest = Math.max(0, begunAt + ms - engine.clock.monotonic())
  const message = `The tool ran longer than its limit of ${ms / 1000} s and was stopped.`
  return engine.clock.schedule(rest, () => stop(new HardTimeout(message)), 'background')
}

/** Stops the work where the task is no longer this process's, whatever was noticed of that. */
export async function stopIfLost(engine: Engine, { refId, lease }: HeldTask, stop: Stop): Promise<void> {
  // Nobody else can know of it.
  if (engine.lateClaims.isUnstored(refId)) return
  const entry = await engine.entries.readAnew(refId)
  if (entry?.status !== 'complete' && !isHeldBy(entry, lease.owner)) stop(lost(entry))
}

/** Stops the work when the entry was cancelled, deleted or taken over, by whichever process. */
function watchForLoss(engine: Engine, held: InFlightEntry, stop: Stop): () => void {
  const { refId, lease } = held
  const look = async () => {
    try {
      const entry = await engine.entries.read(refId)
      // Only the owner completes a task, so that is no loss.
      if (entry?.status !== 'complete' && !isHeldBy(entry, lease.owner)) stop(lost(entry))
    } catch {
      // The heartbeat asks again.
    }
  }
  return engine.entries.watch(refId, look, held)
}

function isHeldBy(entry: Entry | undefined, owner: string): boolean {
  return entry !== undefined && isInFlight(entry) && entry.lease.owner === owner
}

/** @param entry as it is now, where that is known */
export function lost(entry?: Entry): TaskCancelled {
  return stopReason(entry, 'The task was cancelled or taken over.')
}

/** The right to run a task, for one claim, retry or recovery by this process. */
export function newLease(engine: Engine): Lease {
  const owner = `${engine.instance}/${hexOf(engine.random(6))}`
  return { owner, duration: engine.settings.leaseDuration }
}
