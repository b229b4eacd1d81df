import type { Actor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { type AppendedView, appendedView, type Entry, isInFlight } from '../../core/entry.ts'
import { InvalidArgument } from '../../core/errors.ts'
import type { Part } from '../../core/part.ts'
import type { AsyncTaskResponse, CacheResponse } from '../../core/response.ts'
import type { Engine } from '../engine.ts'
import { type RenderOptions, showValue } from './render.ts'

/** What a task has appended, where something of it is asked for and the actor may see it. The answer about the task alone tells of all else. */
export function askedOfAppended(
  { access }: Engine,
  entry: Entry,
  who: Actor,
  { page, pageSize, full, part }: RenderOptions,
): AppendedView | undefined {
  const isAsked = page !== undefined || pageSize !== undefined || full || part !== undefined
  const view = isAsked ? appendedView(entry) : undefined
  return view && access.may(entry, who, Permission.READ) ? view : undefined
}

/** How much there is, for who may see it. */
export function availableFields({ access }: Engine, entry: Entry, who: Actor) {
  const { appended } = entry
  if (!appended || !access.may(entry, who, Permission.READ)) return {}
  const { available } = appended
  return isInFlight(entry)
    ? ({ available, isGrowing: true } as const)
    : ({ available, partial: true } as const)
}

/** Adds to an answer about the task what was asked of its value. @throws InvalidArgument where there is no such page or part (yet) */
export async function withAppended(
  engine: Engine,
  view: AppendedView,
  described: AsyncTaskResponse,
  options: RenderOptions,
): Promise<AsyncTaskResponse> {
  const goesOn = isInFlight(view)
  try {
    const { message, ...shown } = asPreview(await showValue(engine, view, options))
    return { ...described, ...shown, message: messageOf(view, message) }
  } catch (error) {
    if (!goesOn || !(error instanceof InvalidArgument)) throw error
    throw new InvalidArgument(`${error.message} That is what there is so far: the task still runs.`)
  }
}

/** What is whole is so for now, or for what there is. */
function asPreview({ value, size, ...answer }: CacheResponse) {
  const { refId, status, isComplete, isAsync, isReference, isToolResult, meta, about, ...shown } = answer
  return value === undefined
    ? shown
    : { ...shown, preview: value, ...(size === undefined ? {} : { previewSize: size }) }
}

function messageOf(view: AppendedView, message = ''): string {
  const what = isInFlight(view)
    ? 'The task still runs: this is of what there is so far.'
    : `The task ${view.status === 'failed' ? 'failed' : 'was cancelled'}: this is of what it had until then.`
  return message === '' ? what : `${what} ${message}`
}

/** Whether all that is asked for is there already, as far as the count tells. */
export function isThere(entry: Entry, { page = 1, pageSize, part }: RenderOptions): boolean {
  const { available = 0, kind } = entry.appended ?? {}
  if (part) return available > lastOf(part, kind)
  return available > (pageSize === undefined ? 0 : (page - 1) * pageSize)
}

/** The last item or line that a part has something of, from 0. */
function lastOf(part: Part, kind: 'items' | 'text' | undefined): number {
  if (part.kind === 'lines') return kind === 'text' ? part.last - 1 : 0
  const item = Number(part.steps[0])
  return kind === 'items' && Number.isInteger(item) ? item : 0
}
