import { type Actor, actor } from '../../access/actor.ts'
import { type AccessRequest, READ_OR_EXECUTE } from '../../access/authorize.ts'
import { type Entry, isExpired } from '../../core/entry.ts'
import { NotFound } from '../../core/errors.ts'
import { isRefOf, type RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'

const SYSTEM = actor.system()

/** The live entry behind a reference, for the host program. Whatever is not one, a malformed reference included, is nothing. */
export function find(engine: Engine, refId: RefId): Promise<Entry | undefined> {
  return findAnd(engine, refId, SYSTEM, entry => entry)
}

/** The same, authorized for an actor. @throws NotFound, PermissionDenied */
export function findFor(
  engine: Engine,
  refId: RefId,
  who: Actor,
  want: Omit<AccessRequest, 'refId'>,
): Promise<Entry> {
  return findAnd(engine, refId, who, entry => engine.access.authorize(entry, who, { ...want, refId }))
}

/** Whether the actor may know of the live entry. */
export async function exists(engine: Engine, refId: RefId, who: Actor): Promise<boolean> {
  try {
    await findFor(engine, refId, who, { action: 'exists', permission: READ_OR_EXECUTE, denial: '' })
    return true
  } catch (error) {
    if (error instanceof NotFound) return false
    throw error
  }
}

/** What `judge` makes of the live entry. Where it throws NotFound, that costs the same whether or not there is one. */
export async function findAnd<T>(
  engine: Engine,
  refId: RefId,
  who: Actor,
  judge: (entry: Entry | undefined) => T | Promise<T>,
): Promise<T> {
  if (!isRefOf(engine.name, refId)) return judge(undefined)
  await engine.clock.agreed()
  const entry = await engine.store.get(refId)
  if (entry) engine.equalRefusals.noteEntry(refId)
  try {
    return await judge(entry && !isExpired(entry, engine.clock.expiryNow()) ? entry : undefined)
  } catch (error) {
    if (error instanceof NotFound) await engine.equalRefusals.equalize(entry?.refId, who)
    throw error
  }
}
