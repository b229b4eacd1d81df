import { type Actor, describeActor } from '../access/actor.ts'
import { admit } from '../access/authorize.ts'
import { encode } from '../core/codec.ts'
import type { PendingEntry } from '../core/entry.ts'
import { StoreUnavailable } from '../core/errors.ts'
import { keyOf } from '../core/key.ts'
import { createRefId } from '../core/ref.ts'
import { serializeInput } from '../core/serialize.ts'
import { validate } from '../core/standard-schema.ts'
import type { Tool } from '../core/tool.ts'
import type { PartChanges } from '../stores/store.ts'
import type { CallOptions } from './call.ts'
import type { Engine } from './engine.ts'
import { newLease } from './lease.ts'

/** The entry that a call would create, and the input its task would run with. */
export async function draftCall(
  engine: Engine,
  tool: Tool,
  input: unknown,
  who: Actor,
  options: CallOptions,
): Promise<{ draft: PendingEntry; parts: PartChanges }> {
  if (engine.closing.aborted) throw new StoreUnavailable('The cache is closed.')
  const namespace = admit(options.namespace ?? tool.namespace, who)
  const json = serializeInput(tool.input ? await validate(tool.input, input, 'The input') : input)
  const { name: toolName, policy, idempotent, preview, view } = tool
  const pastDurations = engine.history.summary(toolName)
  const draft: PendingEntry = {
    status: 'pending',
    refId: createRefId(engine.name, engine.random),
    ...((options.memoize ?? tool.memoize)
      ? { key: keyOf({ cacheName: engine.name, toolName, namespace, input: json }) }
      : {}),
    toolName,
    namespace,
    policy,
    startedBy: describeActor(who),
    createdAt: engine.clock.now(),
    version: 1,
    attempt: 0,
    maxRetries: tool.retry.maxRetries,
    idempotent,
    ...(tool.ttlMode === 'sliding' && tool.ttl !== undefined ? { slidingTtl: tool.ttl } : {}),
    retryHistory: [],
    ...(options.interactive ? { interactive: options.interactive } : {}),
    ...(pastDurations ? { pastDurations } : {}),
    ...(preview ? { preview } : {}),
    ...(view ? { view } : {}),
    lease: newLease(engine),
  }
  const bytes = await encode(json, { compress: engine.store.capabilities.durable })
  return { draft, parts: { input: bytes } }
}
