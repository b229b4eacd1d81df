import type { Actor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { type CompleteEntry, isInFlight } from '../../core/entry.ts'
import { TaskCancelled, TaskNotReady } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { findFor } from '../read/find.ts'
import { PRIVATE } from '../read/reply.ts'
import { taskFailed } from '../read/status.ts'
import { renew } from '../read/values.ts'

/**
 * The entry of a value that is to be edited or exported, authorized for READ.
 * @throws NotFound, PermissionDenied, TaskFailed, TaskCancelled, TaskNotReady
 */
export async function findValue(
  engine: Engine,
  refId: RefId,
  who: Actor,
  action: 'edit' | 'export',
): Promise<CompleteEntry> {
  const want = { action, permission: Permission.READ, denial: PRIVATE } as const
  const entry = await findFor(engine, refId, who, want)
  if (isInFlight(entry)) {
    throw new TaskNotReady(
      `The task behind this reference is still running. Wait for it, then ${action} its result.`,
    )
  }
  if (entry.status === 'cancelled') throw new TaskCancelled('The task behind this reference was cancelled.')
  if (entry.status === 'failed') throw taskFailed(engine, entry, who)
  await renew(engine, entry)
  return entry
}
