import { type Actor, type ActorLike, toActor } from '../../access/actor.ts'
import type { AccessRequest } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { type Entry, isExpired, isInFlight } from '../../core/entry.ts'
import type { JsonValue } from '../../core/json.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { toReference } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import { type StandardSchema, validate } from '../../core/standard-schema.ts'
import type { Engine } from '../engine.ts'
import { findFor } from './find.ts'
import { readPart } from './part.ts'
import { readableEntry, readableOrPartial } from './readable.ts'
import { PRIVATE } from './reply.ts'
import { readWhole } from './stored-value.ts'

/** Options of `RefCache.resolve`. */
export interface ResolveOptions<Value = JsonValue> {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /**
   * The right that the actor needs: `READ` to be given the value, `EXECUTE` where the program computes with it
   * and keeps it from the actor.
   * @defaultValue Permission.READ
   */
  permission?: Permission | undefined
  /** How long to wait for a task that is in flight. @defaultValue 0 */
  wait?: Duration | undefined
  /**
   * What a task without a value has appended until then (`task.append`) is its value, too: one that still runs after the wait, that
   * failed, or was cancelled.
   * @defaultValue false: TaskNotReady, TaskFailed, TaskCancelled
   */
  partial?: boolean | undefined
  /** Checks the value, and gives what it makes of it: any Standard Schema (zod, valibot, …). @defaultValue none: the value as it is */
  schema?: StandardSchema<unknown, Value> | undefined
  /** Ends the wait with its reason, never the task. */
  signal?: AbortSignal | undefined
}

const OPTIONS: Names<ResolveOptions> = {
  actor: true,
  permission: true,
  wait: true,
  partial: true,
  schema: true,
  signal: true,
}

/**
 * The value behind a reference, or the part of it that a fragment names, as a fresh copy.
 *
 * @throws NotFound, PermissionDenied; TaskFailed, TaskCancelled where there will be no value; TaskNotReady while
 *   the task is still running; InvalidArgument where there is no such part, or the schema refuses the value
 */
export async function resolve<Value>(
  engine: Engine,
  asked: RefId,
  options: ResolveOptions<Value>,
): Promise<Value> {
  checkNames<object>(options, OPTIONS, '`resolve`')
  const who = toActor(options.actor)
  const permission = options.permission ?? Permission.READ
  const { refId, part } = toReference(engine.name, asked) ?? { refId: asked }
  const want = { action: 'resolve', permission, refId } as const
  const found = await findFor(engine, refId, who, { ...want, denial: PRIVATE, audit: 'denials-only' })
  const within = toMilliseconds(options.wait ?? 0, 'wait')
  const latest = await engine.entries.follow(found, { within, signals: [options.signal] })
  options.signal?.throwIfAborted()
  const live =
    latest && (isInFlight(found) || !isExpired(latest, engine.clock.expiryNow())) ? latest : undefined
  const entry = options.partial
    ? await readableOrPartial(engine, live, who, { ...want, growing: true })
    : await readableEntry(engine, live, who, want)
  const value = part
    ? await readPart(engine, entry, part, { sees: engine.access.may(entry, who, Permission.READ) })
    : await readWhole(engine, entry)
  // Without a schema the caller vouches for the type.
  return options.schema ? validate(options.schema, value, 'The value of this reference') : (value as Value)
}

/**
 * The value of an entry that was waited for.
 * @throws as `resolve`
 */
export async function readValue(
  engine: Engine,
  latest: Entry | undefined,
  who: Actor,
  want: Pick<AccessRequest, 'action' | 'permission'>,
): Promise<JsonValue> {
  return readWhole(engine, await readableEntry(engine, latest, who, want))
}
