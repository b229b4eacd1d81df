import { type Entry, isInFlight } from '../core/entry.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import { leaseFor, newOwner } from './lease.ts'
import { performer } from './run.ts'
import { expiry } from './settle.ts'

/** One sweep looks at no more than this; what is left waits for the next. */
const BATCH = 500

/** Expired entries go; a task whose lease ran out is run again or failed. */
export async function sweep(engine: Engine): Promise<void> {
  const now = engine.clock.now()
  await engine.store.prune(now, BATCH)
  const lost = await engine.store.list({
    cacheName: engine.name,
    statuses: ['pending', 'processing'],
    leaseEndedBy: now,
    limit: BATCH,
  })
  for (const entry of lost) await recover(engine, entry)
}

/** A task that never began may begin anywhere; one that did is run again only where that does no harm. */
async function recover(engine: Engine, entry: Entry): Promise<void> {
  if (!isInFlight(entry)) return
  const now = engine.clock.now()
  const repeatable = entry.status === 'pending' || entry.idempotent
  if (repeatable && engine.tools.has(entry.toolName ?? '')) {
    const owner = newOwner(engine)
    const { refused } = await change(engine, entry.refId, {
      type: 'take',
      lease: leaseFor(engine, owner),
      now,
    })
    if (!refused) engine.runner.start(entry.refId, performer(engine, owner))
    return
  }
  await change(engine, entry.refId, {
    type: 'lose',
    now,
    expiresAt: expiry(now, engine.settings.taskRetention),
    error: { code: 'worker_lost', message: 'The process that ran this task was lost before it finished.' },
  })
}
