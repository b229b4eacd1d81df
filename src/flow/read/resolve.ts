import { type Actor, type ActorLike, toActor } from '../../access/actor.ts'
import type { AccessRequest } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { type Entry, isAppendedView, isExpired, isInFlight, type ValuedEntry } from '../../core/entry.ts'
import { TaskCancelled, TaskNotReady } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { type Part, toReference } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import { type StandardSchema, validate } from '../../core/standard-schema.ts'
import { takePart } from '../../values/pointer.ts'
import type { Engine } from '../engine.ts'
import { appendedOf } from './appended.ts'
import { findFor } from './find.ts'
import { partOfLargeValue } from './large-values.ts'
import { PRIVATE } from './reply.ts'
import { taskFailed } from './status.ts'
import { readWhole } from './stored-value.ts'
import { renew, usedOf } from './values.ts'

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
   * What a failed or cancelled task had appended until then (`task.append`) is its value, too.
   * @defaultValue false: TaskFailed, TaskCancelled
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
  const want = { action: 'resolve', permission, denial: PRIVATE } as const
  const found = await findFor(engine, refId, who, { ...want, audit: 'denials-only' })
  const within = toMilliseconds(options.wait ?? 0, 'wait')
  const latest = await engine.entries.follow(found, { within, signals: [options.signal] })
  options.signal?.throwIfAborted()
  const live =
    latest && (isInFlight(found) || !isExpired(latest, engine.clock.expiryNow())) ? latest : undefined
  const readable = live && options.partial ? await whatIsLeft(engine, live) : live
  const entry = await readableEntry(engine, readable, who, { action: 'resolve', permission, refId })
  const value = part
    ? await readPart(engine, entry, part, engine.access.may(entry, who, Permission.READ))
    : await readWhole(engine, entry)
  // Without a schema the caller vouches for the type.
  return options.schema ? validate(options.schema, value, 'The value of this reference') : (value as Value)
}

/** A task that has ended without a value, as what it had appended until then, with the guards of its own. */
async function whatIsLeft(engine: Engine, entry: Entry): Promise<Entry> {
  const appended = isInFlight(entry) ? undefined : await appendedOf(engine, entry)
  if (!appended) return entry
  const { namespace, policy, startedBy, derivedFrom } = entry
  return { ...appended, namespace, policy, startedBy, derivedFrom }
}

/**
 * The value of an entry that was waited for. Authorizes (again): what the task turned out to use may limit who sees it.
 * @throws as `resolve`
 */
export async function readValue(
  engine: Engine,
  latest: Entry | undefined,
  who: Actor,
  want: Pick<AccessRequest, 'action' | 'permission' | 'refId'>,
): Promise<JsonValue> {
  return readWhole(engine, await readableEntry(engine, latest, who, want))
}

async function readableEntry(
  engine: Engine,
  latest: Entry | undefined,
  who: Actor,
  want: Pick<AccessRequest, 'action' | 'permission' | 'refId'>,
): Promise<ValuedEntry> {
  const entry = engine.access.authorize(latest, who, { refId: latest?.refId, ...want, denial: PRIVATE })
  if (isInFlight(entry)) {
    throw new TaskNotReady(
      'The task behind this reference is still running. Wait for it, then use its result.',
    )
  }
  if (isAppendedView(entry)) return entry
  if (entry.status === 'cancelled') throw new TaskCancelled('The task behind this reference was cancelled.')
  if (entry.status === 'failed') throw taskFailed(engine, entry, who)
  await renew(engine, entry)
  return entry
}

/** @param sees whether the caller may see the value: else an error tells nothing of it */
async function readPart(engine: Engine, entry: ValuedEntry, part: Part, sees: boolean): Promise<JsonValue> {
  const found = await partOfLargeValue(engine, entry, part)
  return found ? found.value : takePart(usedOf(engine, entry, await readWhole(engine, entry)), part, sees)
}
