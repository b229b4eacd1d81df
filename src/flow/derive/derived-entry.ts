import type { Actor } from '../../access/actor.ts'
import { describeActor } from '../../access/actor.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { type CompleteEntry, type Entry, originOf } from '../../core/entry.ts'
import type { ValueWriter } from '../../values/segments/writer.ts'
import { unique } from '../call/references.ts'
import type { Engine } from '../engine.ts'
import { storeComplete } from '../store-complete.ts'
import { lifetimeOf } from './lifetime.ts'

/** What a derived value is made of, and by what. */
export interface Derivation {
  readonly from: CompleteEntry
  /** What else it is made of. */
  readonly others: readonly Entry[]
  /** What else limits who may see it. */
  readonly guards: readonly SourceConstraint[]
  readonly toolName: string
  /** The projection of the new value. */
  readonly view: string | undefined
}

/**
 * Stores a value that was made of others. It is for whom all of these are for, and is kept as long as the first of them was to be kept,
 * from now.
 * @throws PermissionDenied where the actor could not even use it; ValueTooLarge, StoreUnavailable
 */
export async function storeDerived(
  engine: Engine,
  who: Actor,
  { from, others, guards, toolName, view }: Derivation,
  writer: ValueWriter,
): Promise<CompleteEntry> {
  const { namespace, policy, label, preview } = from
  const all = unique([...(from.derivedFrom ?? []), ...guards])
  const derivedFrom = all.length > 0 ? all : undefined
  engine.access.authorizeMaking(
    { namespace, policy, startedBy: describeActor(who), derivedFrom, toolName },
    who,
  )
  const lifetime = lifetimeOf(engine, [from, ...others])
  const draft = {
    toolName,
    origin: originOf(from),
    label,
    namespace,
    policy,
    uses: [...new Set([from, ...others].map(({ refId }) => refId))],
    derivedFrom,
    preview,
    view,
    ...lifetime,
  }
  return storeComplete(engine, who, draft, writer)
}
