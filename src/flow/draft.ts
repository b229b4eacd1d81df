import { type Actor, describeActor } from '../access/actor.ts'
import { admits, checkNamespace } from '../access/namespace.ts'
import { encode } from '../core/codec.ts'
import type { PendingEntry } from '../core/entry.ts'
import { PermissionDenied } from '../core/errors.ts'
import { keyOf } from '../core/key.ts'
import { createRefId } from '../core/ref.ts'
import { serializeInput } from '../core/serialize.ts'
import { validate } from '../core/standard-schema.ts'
import type { Tool } from '../core/tool.ts'
import type { PartChanges } from '../stores/store.ts'
import type { CallOptions } from './call.ts'
import type { Engine } from './engine.ts'
import { leaseFor, newOwner } from './lease.ts'

/** The entry that a call would create, and the input its task would run with. */
export async function draftCall(
  engine: Engine,
  tool: Tool,
  input: unknown,
  who: Actor,
  options: CallOptions,
): Promise<{ draft: PendingEntry; parts: PartChanges }> {
  const namespace = checkNamespace(options.namespace ?? tool.namespace)
  if (who.type !== 'system' && !admits(namespace, who)) {
    throw new PermissionDenied(`Results of '${tool.name}' belong to a namespace that is not the caller's.`)
  }
  const json = serializeInput(tool.input ? await validate(tool.input, input, 'The input') : input)
  const { name: toolName, scope, policy, idempotent, preview, view } = tool
  const draft: PendingEntry = {
    status: 'pending',
    refId: createRefId(engine.name, engine.random),
    ...((options.memoize ?? tool.memoize)
      ? { key: keyOf({ cacheName: engine.name, toolName, namespace, scope, input: json }) }
      : {}),
    toolName,
    namespace,
    policy,
    startedBy: describeActor(who),
    createdAt: engine.clock.now(),
    version: 1,
    attempt: 0,
    maxRetries: 0,
    idempotent,
    retryHistory: [],
    ...(preview ? { preview } : {}),
    ...(view ? { view } : {}),
    lease: leaseFor(engine, newOwner(engine)),
  }
  const bytes = await encode(json, { compress: engine.store.capabilities.durable })
  return { draft, parts: { input: bytes } }
}
