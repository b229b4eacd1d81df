import { type Actor, describeActor } from '../access/actor.ts'
import { KNOW } from '../access/authorize.ts'
import type { Source } from '../access/decision.ts'
import { type AccessPolicy, checkPolicy } from '../access/policy.ts'
import { encode } from '../core/codec.ts'
import type { PendingEntry } from '../core/entry.ts'
import { PermissionDenied, StoreUnavailable } from '../core/errors.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { keyOf } from '../core/key.ts'
import { createRefId } from '../core/ref.ts'
import type { Tool } from '../core/tool.ts'
import type { PartChanges } from '../stores/store.ts'
import type { CallOptions } from './call.ts'
import type { Engine } from './engine.ts'
import { newLease } from './lease.ts'
import { policyFor, ttlFor } from './namespace.ts'
import { acceptInput } from './references.ts'

/** The entry that a call would create, and the input its task would run with. */
export async function draftCall(
  engine: Engine,
  tool: Tool,
  input: unknown,
  who: Actor,
  options: CallOptions,
): Promise<{ draft: PendingEntry; parts: PartChanges }> {
  if (engine.closing.aborted) throw new StoreUnavailable('The cache is closed.')
  const namespace = options.namespace ?? tool.namespace
  engine.access.enter(namespace, who)
  const { name: toolName, idempotent, preview, view } = tool
  const policy = policyFor(engine, namespace, tool.policy, options.policy && checkPolicy(options.policy))
  const { json, uses, derivedFrom } = await acceptInput(engine, tool, input, who)
  const ttl = tool.ttlMode === 'sliding' ? ttlFor(engine, namespace, tool.ttl) : undefined
  const pastDurations = engine.history.summary(toolName)
  const draft: PendingEntry = {
    status: 'pending',
    refId: createRefId(engine.name, engine.random),
    ...((options.memoize ?? tool.memoize)
      ? {
          key: keyOf({
            cacheName: engine.name,
            toolName,
            namespace,
            ...scopeOf(policy, derivedFrom),
            input: json,
          }),
        }
      : {}),
    toolName,
    namespace,
    policy,
    startedBy: describeActor(who),
    ...(uses.length > 0 ? { uses } : {}),
    ...(derivedFrom.length > 0 ? { derivedFrom } : {}),
    createdAt: engine.clock.now(),
    version: 1,
    attempt: 0,
    maxRetries: tool.retry.maxRetries,
    idempotent,
    ...(ttl === undefined ? {} : { slidingTtl: ttl }),
    retryHistory: [],
    ...(options.interactive ? { interactive: true } : {}),
    ...(pastDurations ? { pastDurations } : {}),
    ...(preview ? { preview } : {}),
    ...(view ? { view } : {}),
    lease: newLease(engine),
  }
  // Nothing is run for somebody who could not even follow it.
  if (!engine.access.may(draft, who, KNOW)) throw new PermissionDenied('What this tool makes is not for you.')
  const bytes = await encode(json, { compress: engine.store.capabilities.durable })
  return { draft, parts: { input: bytes } }
}

/** Callers whose results are guarded differently have different keys. */
function scopeOf(policy: AccessPolicy, derivedFrom: readonly Source[]) {
  return { policy: { ...policy } as JsonObject, derivedFrom: derivedFrom as unknown as JsonValue[] }
}
