import type { Actor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { TaskCancelled } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { findFor } from '../read/find.ts'

const DENIAL = 'Deleting needs the DELETE right. The host program itself passes actor.system().'

/** Removes an entry for good. Work that still runs for it is told to stop, here or in whichever process. */
export async function remove(engine: Engine, refId: RefId, who: Actor): Promise<boolean> {
  const entry = await findFor(engine, refId, who, {
    action: 'delete',
    permission: Permission.DELETE,
    denial: DENIAL,
  })
  const deleted = await engine.store.delete(refId)
  if (deleted) engine.events.emit(events.deleted(entry))
  engine.sources.drop(refId)
  engine.thrown.drop(refId)
  engine.running.abort(refId, new TaskCancelled('The entry of this task was deleted.'))
  return deleted
}
