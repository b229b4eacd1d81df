import type { Actor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { type AppendedValue, type Entry, isExpired, isInFlight, type MadeOf } from '../../core/entry.ts'
import {
  type AppendedView,
  appendedAsItWas,
  appendedView,
  isAppendedView,
  type ValuedEntry,
} from '../../core/entry-value.ts'
import { InvalidArgument } from '../../core/errors.ts'
import type { Part } from '../../core/part.ts'
import type { AsyncTaskResponse, CacheResponse } from '../../core/response.ts'
import type { Engine } from '../engine.ts'
import { type RenderOptions, showValue } from './render.ts'

/**
 * What a task has appended, or the task that it follows. Nothing of that one as long as it has guards that its follower does not
 * know of.
 */
export async function appendedOf(engine: Engine, entry: Entry): Promise<AppendedView | undefined> {
  const { status } = entry
  if (entry.appended || status === 'complete' || status === 'cancelled') return appendedView(entry)
  const followed = await followedBy(engine, entry)
  return followed && appendedView(followed)
}

/** The same as it was when there was so much of it, whatever has become of the task. Undefined: that value is no more. */
export async function appendedAt(
  engine: Engine,
  entry: Entry,
  appended: AppendedValue,
): Promise<ValuedEntry | undefined> {
  const own = appendedAsItWas(entry, appended)
  if (own) return own
  const followed = await followedBy(engine, entry)
  return followed && appendedAsItWas(followed, appended)
}

async function followedBy(engine: Engine, { follows, derivedFrom }: Entry): Promise<Entry | undefined> {
  const followed = follows === undefined ? undefined : await engine.entries.read(follows)
  if (!followed || isExpired(followed, engine.clock.expiryNow())) return undefined
  const isGuarded = (followed.derivedFrom?.length ?? 0) > (derivedFrom?.length ?? 0)
  return isGuarded ? undefined : followed
}

/** Whether something of a value is asked for, and not only how its task stands. */
export function asksForContent({ page, pageSize, full, part }: RenderOptions): boolean {
  return page !== undefined || pageSize !== undefined || full === true || part !== undefined
}

/** How much a task has appended, for who may see it. */
export function availableFields(
  { access }: Engine,
  entry: Entry,
  { appended }: Pick<Entry, 'appended'>,
  who: Actor,
) {
  if (!appended || !access.may(entry, who, Permission.READ)) return {}
  const { available } = appended
  return isInFlight(entry)
    ? ({ available, isGrowing: true } as const)
    : ({ available, partial: true } as const)
}

/** How much there is of a value whose task has not come to its end, or ended without one. */
export function soFarOf(entry: Entry): MadeOf | undefined {
  if (!isAppendedView(entry) || !entry.appended) return undefined
  return { isGrowing: isInFlight(entry), available: entry.appended.available }
}

/** What an answer says that was made of such a value. */
export function madeOfFields(madeOf: MadeOf | undefined) {
  if (!madeOf) return {}
  const { isGrowing, available } = madeOf
  return {
    ...(available === undefined ? {} : { available }),
    ...(isGrowing ? ({ isGrowing: true } as const) : ({ partial: true } as const)),
  }
}

/** Adds to an answer about the task what was asked of its value. @throws InvalidArgument where there is no such page or part (yet) */
export async function withAppended(
  engine: Engine,
  view: AppendedView,
  described: AsyncTaskResponse,
  options: RenderOptions,
): Promise<AsyncTaskResponse> {
  try {
    const { message, ...shown } = asPreview(await showValue(engine, view, options))
    return { ...described, ...shown, message: messageOf(described, message) }
  } catch (error) {
    if (!described.isAsync || !(error instanceof InvalidArgument)) throw error
    throw new InvalidArgument(`${error.message} That is what there is so far: the task still runs.`)
  }
}

/** What is whole is so for now, or for what there is. */
function asPreview({ value, size, ...answer }: CacheResponse) {
  const { refId, status, isComplete, isAsync, isReference, isToolResult, meta, about, ...shown } = answer
  if (value === undefined) return shown
  // A table stands in the place of the value.
  const preview = shown.rows ? {} : { preview: value }
  return { ...shown, ...preview, ...(size === undefined ? {} : { previewSize: size }) }
}

function messageOf({ isAsync, status }: AsyncTaskResponse, message = ''): string {
  const what = isAsync
    ? 'The task still runs: this is of what there is so far.'
    : `The task ${status === 'failed' ? 'failed' : 'was cancelled'}: this is of what it had until then.`
  return message === '' ? what : `${what} ${message}`
}

/** Whether all that is asked for is there already, as far as the count tells. */
export function isThere(
  { appended }: Pick<Entry, 'appended'>,
  { page = 1, pageSize, part }: RenderOptions,
): boolean {
  const { available = 0, kind } = appended ?? {}
  if (part) return available > lastOf(part, kind)
  return available > (pageSize === undefined ? 0 : (page - 1) * pageSize)
}

/** The last item or line that a part has something of, from 0. */
function lastOf(part: Part, kind: 'items' | 'text' | undefined): number {
  if (part.kind === 'lines') return kind === 'text' ? part.last - 1 : 0
  const item = Number(part.steps[0])
  return kind === 'items' && Number.isInteger(item) ? item : 0
}
