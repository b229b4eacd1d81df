import { type Actor, type ActorLike, isDescribed, toActor } from '../../access/actor.ts'
import type { Namespace } from '../../access/namespace.ts'
import { Permission } from '../../access/permission.ts'
import { toDate } from '../../core/clock.ts'
import { type ListPlace, pageLimit, placeAt, placeOf } from '../../core/cursor.ts'
import { type CompleteEntry, type Entry, originOf } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { scan } from './list.ts'

/** Whose finished values are listed. */
export interface ListResultsOptions {
  /** @defaultValue an anonymous agent */
  readonly actor?: ActorLike | undefined
  /** @defaultValue 50 */
  readonly limit?: number | undefined
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** Whether the results of a tool are listed. @defaultValue all are */
  readonly lists?: ((toolName: string | undefined) => boolean) | undefined
  /** Only there. */
  readonly namespace?: Namespace | undefined
  readonly signal?: AbortSignal | undefined
}

/** A finished value, without the value. */
export interface ResultInfo {
  readonly refId: RefId
  /** What made it: the tool by the name that people know, or what `set` called it. */
  readonly label: string
  readonly completedAt: Date
  /** Size of its JSON. */
  readonly valueBytes: number
}

export interface ResultPage {
  /** The newest first. */
  readonly results: readonly ResultInfo[]
  /** Absent on the last page. */
  readonly nextCursor?: string
}

/** So many entries are looked at, whosever they are: anybody may ask for the list, as often as they like. */
const MAX_LOOKED_AT = 10_000

/** The values that the actor itself had made, and may read. Entries lie in no order of time: all are looked at, up to a limit. */
export async function listResults(engine: Engine, options: ListResultsOptions): Promise<ResultPage> {
  const who = toActor(options.actor)
  const limit = pageLimit(options.limit)
  const before = options.cursor === undefined ? undefined : placeOf(engine, options.cursor)
  const newest: CompleteEntry[] = []
  const { namespace, signal } = options
  let lookedAt = 0
  for await (const { entry, wanted } of scan(engine, { namespace, statuses: ['complete'], signal })) {
    if (++lookedAt > MAX_LOOKED_AT) break
    if (!wanted || !isListed(engine, entry, who, options.lists)) continue
    if (before && compare(before, toPlace(entry)) <= 0) continue
    insert(newest, entry)
    // One more than is given says whether there is more.
    if (newest.length > limit + 1) newest.pop()
  }
  const results = newest.slice(0, limit)
  const last = results.at(-1)
  return {
    results: results.map(entry => describeResult(engine, entry)),
    ...(last && newest.length > limit ? { nextCursor: placeAt(engine, toPlace(last)) } : {}),
  }
}

function isListed(
  engine: Engine,
  entry: Entry,
  who: Actor,
  lists: ListResultsOptions['lists'],
): entry is CompleteEntry {
  if (entry.status !== 'complete' || !isDescribed(entry.startedBy, who)) return false
  return (lists?.(originOf(entry)) ?? true) && engine.access.may(entry, who, Permission.READ)
}

/** Puts the entry where it belongs in a list of the newest first. */
function insert(newest: CompleteEntry[], entry: CompleteEntry): void {
  const at = newest.findIndex(other => compare(toPlace(other), toPlace(entry)) < 0)
  newest.splice(at < 0 ? newest.length : at, 0, entry)
}

function toPlace({ completedAt, refId }: CompleteEntry): ListPlace {
  return { at: completedAt, refId }
}

/** More than 0 where the first is the newer one. Of one moment, the references decide. */
function compare(one: ListPlace, other: ListPlace): number {
  return one.at - other.at || (one.refId > other.refId ? 1 : one.refId < other.refId ? -1 : 0)
}

function describeResult(engine: Engine, entry: CompleteEntry): ResultInfo {
  const { refId, toolName, label, completedAt, valueBytes } = entry
  return {
    refId,
    label: label ?? (toolName === undefined ? 'value' : engine.toolLabel(toolName)),
    completedAt: toDate(completedAt),
    valueBytes,
  }
}
