import type { Actor } from '../access/actor.ts'
import type { Want } from '../access/authorize.ts'
import { type Entry, isExpired } from '../core/entry.ts'
import { isRefOf, type RefId } from '../core/ref.ts'
import type { Engine } from './engine.ts'

/** The live entry behind a reference. Whatever is not one, a malformed reference included, is nothing. */
export async function find(engine: Engine, refId: RefId): Promise<Entry | undefined> {
  const entry = isRefOf(engine.name, refId) ? await engine.store.get(refId) : undefined
  return entry && !isExpired(entry, engine.clock.now()) ? entry : undefined
}

/** The same for somebody who wants something of it. @throws NotFound, PermissionDenied */
export async function findFor(
  engine: Engine,
  refId: RefId,
  who: Actor,
  want: Omit<Want, 'refId'>,
): Promise<Entry> {
  return engine.access.authorize(await find(engine, refId), who, { ...want, refId })
}
