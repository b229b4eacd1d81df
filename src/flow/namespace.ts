import type { Namespace } from '../access/namespace.ts'
import type { AccessPolicy } from '../access/policy.ts'
import { type Duration, toLimit } from '../core/duration.ts'
import type { Engine } from './engine.ts'

/** How long an entry is kept, in milliseconds; nothing for ever. The nearest word wins: its own, the namespace's, the cache's. */
export function ttlFor(
  engine: Engine,
  namespace: Namespace,
  own: Duration | null | undefined,
): number | undefined {
  if (own !== undefined) return toLimit(own, 'ttl')
  const { ttl } = engine.access.rule(namespace)
  return ttl === undefined ? engine.settings.defaultTtl : toLimit(ttl, 'ttl')
}

/** The entry's own policy, or else that of its namespace, with what a single call says on top. */
export function policyFor(
  engine: Engine,
  namespace: Namespace,
  own: AccessPolicy | undefined,
  call?: AccessPolicy,
): AccessPolicy {
  const policy = own ?? engine.access.rule(namespace).policy
  return call ? { ...policy, ...call } : policy
}
