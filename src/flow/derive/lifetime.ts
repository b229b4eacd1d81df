import { type Entry, isInFlight } from '../../core/entry.ts'
import { ttlFor } from '../call/draft.ts'
import type { Engine } from '../engine.ts'

/** How long a value is kept. */
export interface Lifetime {
  /** Milliseconds from now. Undefined: for ever. */
  readonly ttl: number | undefined
  /** Reading puts the expiry off by the `ttl`. */
  readonly sliding: boolean
}

/** How long a value that is made of others is kept: as long as the first of them was to be kept, from now. */
export function lifetimeOf(engine: Engine, sources: readonly Entry[]): Lifetime {
  const ttls = sources.flatMap(source => ttlOf(engine, source) ?? [])
  return {
    ttl: ttls.length === 0 ? undefined : Math.min(...ttls),
    sliding: sources.every(({ slidingTtl }) => slidingTtl !== undefined),
  }
}

function ttlOf(engine: Engine, entry: Entry): number | undefined {
  const { slidingTtl, expiresAt, namespace, toolName = '' } = entry
  if (slidingTtl !== undefined) return slidingTtl
  if (isInFlight(entry)) return ttlFor(engine, namespace, engine.tools.get(toolName)?.ttl)
  if (expiresAt === undefined) return undefined
  const lifetime = expiresAt - entry.completedAt
  // Whoever had the value kept longer had that up to a limit: copies do not add up to more.
  const { maxTtl = Number.POSITIVE_INFINITY } = engine.settings
  return Math.max(1, Math.min(lifetime, Math.max(maxTtl, expiresAt - engine.clock.now())))
}
