import type { Entry } from '../core/entry.ts'
import type { Engine } from './engine.ts'

/**
 * Reading renews a sliding entry, once a tenth of its time has passed. Best effort: a lost race means that somebody else
 * did it, and a store that cannot be written must not keep a reader from a value that is there.
 */
export async function renew(engine: Engine, entry: Entry): Promise<void> {
  const { slidingTtl, expiresAt } = entry
  if (slidingTtl === undefined || expiresAt === undefined) return
  const renewed = engine.clock.now() + slidingTtl
  if (renewed - expiresAt < slidingTtl / 10) return
  const changed = { ...entry, expiresAt: renewed, version: entry.version + 1 }
  await engine.store.update(changed, entry.version).catch(() => {})
}
