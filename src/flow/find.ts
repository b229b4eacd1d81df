import { type Entry, isExpired } from '../core/entry.ts'
import { NotFound } from '../core/errors.ts'
import { isRefOf, type RefId } from '../core/ref.ts'
import type { Engine } from './engine.ts'

/** The live entry behind a reference. Whatever is not one, a malformed reference included, is not found. */
export async function find(engine: Engine, refId: RefId): Promise<Entry> {
  const entry = isRefOf(engine.name, refId) ? await engine.store.get(refId) : undefined
  if (!entry || isExpired(entry, engine.clock.now())) throw new NotFound()
  return entry
}
