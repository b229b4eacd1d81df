import type { Actor } from '../../access/actor.ts'
import { expiry } from '../../core/entry.ts'
import { events } from '../../core/events.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Engine } from '../engine.ts'
import { findAnd } from '../read/find.ts'
import { replyStatus } from '../read/reply.ts'
import { stopReason } from '../run/hand-over.ts'

/**
 * Cancels a task: its entry first, so that every poller sees it at once, then the work, wherever it runs. Twice is
 * safe; a task that has settled stays as it is.
 */
export async function cancel(engine: Engine, refId: RefId, who: Actor): Promise<CallResponse> {
  const found = await findAnd(engine, refId, who, entry =>
    engine.access.authorizeControl(entry, who, { action: 'cancel', refId }),
  )
  await engine.running.beforeCancel(refId)
  const now = engine.clock.now()
  const expiresAt = expiry(now, engine.settings.taskRetention)
  const { entry, refused } = await engine.entries.change(found, { type: 'cancel', now, expiresAt })
  if (!refused) {
    engine.running.abort(refId, stopReason(entry, 'The task was cancelled.'))
    if (entry.status === 'cancelled') engine.events.emit(events.settled(entry))
  }
  return replyStatus(engine, entry, who, { action: 'cancel', justChanged: !refused })
}
