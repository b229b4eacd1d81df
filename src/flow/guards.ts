import { HardTimeout, TaskCancelled } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import type { EntryEvent } from '../core/transition.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import { leaseFor } from './lease.ts'

/** What watches over a running task. Ends when the returned function is called. */
export function guard(
  engine: Engine,
  refId: RefId,
  owner: string,
  hardTimeout: number | undefined,
): () => void {
  const ends = [
    keepLease(engine, refId, owner),
    limitTime(engine, refId, hardTimeout),
    noticeLoss(engine, refId, owner),
  ]
  return () => {
    for (const end of ends) end()
  }
}

/** A step of a task that is still ours; when it no longer is, the work is told to stop. */
export async function sustain(engine: Engine, refId: RefId, event: EntryEvent): Promise<void> {
  try {
    const { refused } = await change(engine, refId, event)
    if (refused) stop(engine, refId)
  } catch {
    // The store is away for the moment: the next heartbeat tries again, and the settlement reports.
  }
}

/** The heartbeat: three chances to renew before the lease runs out. */
function keepLease(engine: Engine, refId: RefId, owner: string): () => void {
  const beat = () => {
    end = engine.clock.schedule(engine.settings.leaseDuration / 3, beat, 'background')
    void sustain(engine, refId, { type: 'renew', lease: leaseFor(engine, owner) })
  }
  let end = engine.clock.schedule(engine.settings.leaseDuration / 3, beat, 'background')
  return () => end()
}

function limitTime(engine: Engine, refId: RefId, ms: number | undefined): () => void {
  if (ms === undefined) return () => {}
  const message = `The tool ran longer than its limit of ${ms / 1000} s and was stopped.`
  return engine.clock.schedule(ms, () => engine.runner.abort(refId, new HardTimeout(message)), 'background')
}

/** Stops the work when the entry was cancelled, deleted or taken over, by whichever process. */
function noticeLoss(engine: Engine, refId: RefId, owner: string): () => void {
  return engine.store.watch(refId, async () => {
    try {
      const entry = await engine.store.get(refId)
      if (entry?.status !== 'processing' || entry.lease.owner !== owner) stop(engine, refId)
    } catch {
      // As above: the heartbeat asks again.
    }
  })
}

function stop(engine: Engine, refId: RefId): void {
  engine.runner.abort(refId, new TaskCancelled('The task was cancelled or taken over.'))
}
