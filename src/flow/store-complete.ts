import { type Actor, describeActor } from '../access/actor.ts'
import type { SourceConstraint } from '../access/decision.ts'
import type { Namespace } from '../access/namespace.ts'
import type { AccessPolicy } from '../access/policy.ts'
import { type CompleteEntry, expiry, type PreviewSettings } from '../core/entry.ts'
import { StoreUnavailable } from '../core/errors.ts'
import { events } from '../core/events.ts'
import { createRefId, type RefId } from '../core/ref.ts'
import type { ValueWriter } from '../values/segments/writer.ts'
import type { Lifetime } from './derive/lifetime.ts'
import type { Engine } from './engine.ts'
import { stageValue } from './stage.ts'

/** What is said of a value that is stored at once, without a task. */
export interface CompleteDraft extends Lifetime {
  readonly toolName?: string | undefined
  readonly origin?: string | undefined
  readonly label?: string | undefined
  readonly namespace: Namespace
  readonly policy: AccessPolicy
  /** What it was made of. */
  readonly uses?: readonly RefId[] | undefined
  readonly derivedFrom?: readonly SourceConstraint[] | undefined
  readonly preview?: PreviewSettings | undefined
  readonly view?: string | undefined
}

/** Stores a value under a new reference. Whoever calls this has authorized the actor. @throws ValueTooLarge, StoreUnavailable */
export async function storeComplete(
  engine: Engine,
  who: Actor,
  draft: CompleteDraft,
  writer: ValueWriter,
): Promise<CompleteEntry> {
  if (engine.closing.aborted) throw new StoreUnavailable('The cache is closed.')
  await engine.clock.agreed()
  const entry = entryOf(engine, who, draft)
  const { fields, parts } = await stageValue(engine, entry.refId, writer)
  const stored = { ...entry, ...fields }
  await engine.store.claim(stored, entry.createdAt, parts)
  engine.events.emit(events.stored(entry))
  return stored
}

function entryOf(engine: Engine, who: Actor, draft: CompleteDraft): CompleteEntry {
  const { toolName, origin, label, namespace, policy, uses, derivedFrom } = draft
  const { ttl, sliding, preview, view } = draft
  const now = engine.clock.now()
  return {
    status: 'complete',
    refId: createRefId(engine.name, engine.random),
    ...(toolName === undefined ? {} : { toolName }),
    ...(origin === undefined ? {} : { origin }),
    ...(label === undefined ? {} : { label }),
    namespace,
    policy,
    startedBy: describeActor(who),
    ...(uses ? { uses } : {}),
    ...(derivedFrom ? { derivedFrom } : {}),
    createdAt: now,
    completedAt: now,
    valueBytes: 0,
    expiresAt: expiry(now, ttl),
    ...(sliding && ttl !== undefined ? { slidingTtl: ttl } : {}),
    version: 1,
    attempt: 0,
    maxRetries: 0,
    idempotent: false,
    retryHistory: [],
    ...(preview ? { preview } : {}),
    ...(view === undefined ? {} : { view }),
  }
}
