import { type Entry, type InFlightEntry, isInFlight, type Lease } from '../../core/entry.ts'
import type { EntryEvent } from '../../core/entry-event.ts'
import { HardTimeout, type TaskCancelled } from '../../core/errors.ts'
import { hexOf, type RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import type { Change } from '../entries.ts'
import { stopReason } from './hand-over.ts'

/** Tells the work of one performer to stop. Never by reference: that may belong to a newer performer by now. */
export type Stop = (reason: unknown) => void

/** Signs of life, and notice of its loss, for as long as this process has the task. Returns the end of it. */
export function holdLease(engine: Engine, entry: InFlightEntry, stop: Stop): () => void {
  const ends = [keepLease(engine, entry.refId, entry.lease, stop), watchForLoss(engine, entry, stop)]
  return () => {
    for (const end of ends) end()
  }
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
    // The store is away for the moment: the next heartbeat tries again, and the settlement waits for it.
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

/** The heartbeat: three chances to renew before the lease runs out. */
function keepLease(engine: Engine, refId: RefId, { owner, duration }: Lease, stop: Stop): () => void {
  const beat = () => {
    end = engine.clock.schedule(duration / 3, beat, 'background')
    void renewOrStop(engine, refId, { type: 'renew', owner }, stop)
  }
  let end = engine.clock.schedule(duration / 3, beat, 'background')
  return () => end()
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
      // As above: the heartbeat asks again.
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

/** The process that a lease is of. */
export function processOf({ owner }: Pick<Lease, 'owner'>): string {
  return owner.slice(0, owner.lastIndexOf('/'))
}

/** The right to run a task, for one claim, retry or recovery by this process. */
export function newLease(engine: Engine): Lease {
  const owner = `${engine.instance}/${hexOf(engine.random(6))}`
  return { owner, duration: engine.settings.leaseDuration }
}
