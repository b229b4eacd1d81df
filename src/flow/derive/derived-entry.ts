import { type Actor, describeActor } from '../../access/actor.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { type CompleteEntry, expiry } from '../../core/entry.ts'
import { StoreUnavailable } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import { createRefId } from '../../core/ref.ts'
import type { ValueWriter } from '../../values/segments/writer.ts'
import { unique } from '../call/references.ts'
import type { Engine } from '../engine.ts'
import { stageValue } from '../stage.ts'

/** What a derived value is made of, and by what. */
export interface Derivation {
  readonly from: CompleteEntry
  /** What else limits who may see it. */
  readonly guards: readonly SourceConstraint[]
  readonly toolName: string
  /** The projection of the new value. */
  readonly view: string | undefined
}

/**
 * Stores a value that was made of another one. It is for whom that is for, and is kept as long as that was to be kept, from now.
 * @throws PermissionDenied where the actor could not even use it; ValueTooLarge, StoreUnavailable
 */
export async function storeDerived(
  engine: Engine,
  who: Actor,
  derivation: Derivation,
  writer: ValueWriter,
): Promise<CompleteEntry> {
  if (engine.closing.aborted) throw new StoreUnavailable('The cache is closed.')
  await engine.clock.agreed()
  const entry = draftDerived(engine, who, derivation)
  engine.access.authorizeMaking(entry, who)
  const { fields, parts } = await stageValue(engine, entry.refId, writer)
  const stored = { ...entry, ...fields }
  await engine.store.claim(stored, entry.createdAt, parts)
  engine.events.emit(events.stored(entry))
  return stored
}

function draftDerived(
  engine: Engine,
  who: Actor,
  { from, guards, toolName, view }: Derivation,
): CompleteEntry {
  const { namespace, policy, derivedFrom = [], label, preview, slidingTtl, createdAt, expiresAt } = from
  const now = engine.clock.now()
  const all = unique([...derivedFrom, ...guards])
  return {
    status: 'complete',
    refId: createRefId(engine.name, engine.random),
    toolName,
    ...(label === undefined ? {} : { label }),
    namespace,
    policy,
    startedBy: describeActor(who),
    ...(all.length > 0 ? { derivedFrom: all } : {}),
    createdAt: now,
    completedAt: now,
    valueBytes: 0,
    expiresAt: expiry(now, expiresAt === undefined ? undefined : (slidingTtl ?? expiresAt - createdAt)),
    ...(slidingTtl === undefined ? {} : { slidingTtl }),
    version: 1,
    attempt: 0,
    maxRetries: 0,
    idempotent: false,
    retryHistory: [],
    ...(preview ? { preview } : {}),
    ...(view === undefined ? {} : { view }),
  }
}
