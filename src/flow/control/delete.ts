import { type Actor, isDescribed } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import type { Namespace } from '../../access/namespace.ts'
import { Permission } from '../../access/permission.ts'
import type { Entry, RemovedEntry } from '../../core/entry.ts'
import { NotFound, TaskCancelled } from '../../core/errors.ts'
import { events, type Removal } from '../../core/events.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { findAnd } from '../read/find.ts'

const DENIAL = 'Deleting needs the DELETE right. The host program itself names no actor.'

/** Removes an entry for good. Work that still runs for it is told to stop, here or in whichever process. */
export async function remove(engine: Engine, refId: RefId, who: Actor): Promise<true> {
  const entry = await findAnd(engine, refId, who, found =>
    engine.access.authorize(found, who, {
      action: 'delete',
      permission: found ? removalRight(found, who) : Permission.DELETE,
      denial: DENIAL,
      refId,
    }),
  )
  // Somebody else deleted it a moment ago.
  if (!(await engine.store.delete(refId))) throw new NotFound()
  forget(engine, entry, 'deleted')
  return true
}

/** Whether the actor may delete an entry that it may know of. */
export function mayRemove({ access }: Engine, entry: Entry, who: Actor): boolean {
  return access.may(entry, who, removalRight(entry, who))
}

/** What an actor has put in itself, it may take out again. */
function removalRight(entry: Entry, who: Actor): Permission {
  return hasPutIn(entry, who) ? READ_OR_EXECUTE : Permission.DELETE
}

/** Removes the entries of this cache, or of one namespace of it. Says how many. */
export async function clear(engine: Engine, namespace: Namespace | undefined): Promise<number> {
  if (namespace !== undefined) engine.access.rule(namespace)
  const removed = await engine.store.clear(engine.name, namespace)
  // Also what is kept of calls that were never stored.
  engine.sources.clear()
  engine.errors.clear()
  for (const entry of removed) forget(engine, entry, 'cleared')
  return removed.length
}

/** An entry was removed from the store: this process drops what it kept of it, stops its work, and tells listeners. */
export function forget(engine: Engine, removed: RemovedEntry, reason: Removal): void {
  const { refId } = removed
  engine.sources.drop(refId)
  engine.errors.drop(refId)
  engine.running.abort(refId, new TaskCancelled('The entry of this task was deleted.'))
  engine.events.emit(events.deleted(removed, reason))
}

/** Whether `set` stored it for this actor. Actors without an id and a session cannot be told apart. */
function hasPutIn({ label, startedBy }: Entry, who: Actor): boolean {
  const known = who.id !== undefined || who.sessionId !== undefined
  return known && label !== undefined && isDescribed(startedBy, who)
}
