import type { Actor } from '../../access/actor.ts'
import type { AccessRequest } from '../../access/authorize.ts'
import { type CompleteEntry, type Entry, isInFlight } from '../../core/entry.ts'
import type { ValuedEntry } from '../../core/entry-value.ts'
import { TaskCancelled, TaskNotReady } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { appendedOf } from './appended.ts'
import { findFor } from './find.ts'
import { PRIVATE } from './reply.ts'
import { taskFailed } from './status.ts'
import { renew } from './values.ts'

export interface ReadRequest extends Omit<AccessRequest, 'denial'> {
  /** Says what may be done instead. @defaultValue that the value is private */
  readonly denial?: string
  /** What is to be done with the value, in the message while there is none. @defaultValue 'use' */
  readonly verb?: 'use' | 'edit' | 'export'
}

/**
 * The entry behind a reference, authorized, with a value.
 * @throws NotFound, PermissionDenied, TaskFailed, TaskCancelled, TaskNotReady
 */
export async function findReadable(
  engine: Engine,
  refId: RefId,
  who: Actor,
  want: Omit<ReadRequest, 'refId'>,
): Promise<CompleteEntry> {
  const { verb, ...request } = { denial: PRIVATE, ...want }
  const found = await findFor(engine, refId, who, { ...request, audit: 'denials-only' })
  return readableEntry(engine, found, who, { ...want, refId })
}

/**
 * The same for an entry that is at hand. Authorizes it again: what its task turned out to use may limit who sees it.
 * @throws as `findReadable`
 */
export async function readableEntry(
  engine: Engine,
  latest: Entry | undefined,
  who: Actor,
  { verb = 'use', ...want }: ReadRequest,
): Promise<CompleteEntry> {
  const request = { refId: latest?.refId, denial: PRIVATE, ...want }
  const entry = engine.access.authorize(latest, who, request)
  if (isInFlight(entry)) {
    throw new TaskNotReady(
      `The task behind this reference is still running. Wait for it, then ${verb} its result.`,
    )
  }
  if (entry.status === 'cancelled') throw new TaskCancelled('The task behind this reference was cancelled.')
  if (entry.status === 'failed') throw taskFailed(engine, entry, who)
  await renew(engine, entry)
  return entry
}

export interface PartialRequest extends ReadRequest {
  /** What a task has appended counts while it still runs, too. */
  readonly growing?: boolean
}

/** As `findReadable`, where what a task without a value has appended counts as its value. */
export async function findReadableOrPartial(
  engine: Engine,
  refId: RefId,
  who: Actor,
  want: Omit<PartialRequest, 'refId'>,
): Promise<ValuedEntry> {
  const { growing = false, ...request } = { denial: PRIVATE, ...want }
  const found = await findFor(engine, refId, who, { ...request, audit: 'denials-only' })
  return readableOrPartial(engine, found, who, { ...request, growing, refId })
}

/** As `readableEntry`, with the same. */
export async function readableOrPartial(
  engine: Engine,
  latest: Entry | undefined,
  who: Actor,
  { growing = false, ...want }: PartialRequest,
): Promise<ValuedEntry> {
  const appended = latest && (growing || !isInFlight(latest)) ? await appendedOf(engine, latest) : undefined
  if (!latest || !appended) return readableEntry(engine, latest, who, want)
  const { verb: _, ...request } = { refId: latest.refId, denial: PRIVATE, ...want }
  engine.access.authorize(latest, who, request)
  // It may be another task's that this one follows. Who may see it goes by this one.
  const { namespace, policy, startedBy, derivedFrom } = latest
  return { ...appended, namespace, policy, startedBy, derivedFrom }
}
