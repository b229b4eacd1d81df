import { type Actor, type ActorLike, isDescribed, toActor } from '../../access/actor.ts'
import type { Namespace } from '../../access/namespace.ts'
import { Permission } from '../../access/permission.ts'
import { toDate } from '../../core/clock.ts'
import { cursorAt, pageLimit, placeAt } from '../../core/cursor.ts'
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
  /** The newest first, by when the work was asked for. */
  readonly results: readonly ResultInfo[]
  /** Absent on the last page. */
  readonly nextCursor?: string
}

/** So many entries are looked at, whosever they are: anybody may ask for the list, as often as they like. */
const MAX_LOOKED_AT = 10_000

/** The values that the actor itself had made, and may read. */
export async function listResults(engine: Engine, options: ListResultsOptions): Promise<ResultPage> {
  const who = toActor(options.actor)
  const limit = pageLimit(options.limit)
  const after = options.cursor === undefined ? undefined : placeAt(engine, options.cursor)
  const results: CompleteEntry[] = []
  const { namespace, signal } = options
  let lookedAt = 0
  for await (const { entry, wanted } of scan(engine, { namespace, statuses: ['complete'], after, signal })) {
    if (++lookedAt > MAX_LOOKED_AT) break
    if (!wanted || !isListed(engine, entry, who, options.lists)) continue
    const last = results.at(-1)
    if (last && results.length === limit) return pageOf(engine, results, cursorAt(engine, last))
    results.push(entry)
  }
  return pageOf(engine, results)
}

function pageOf(engine: Engine, results: readonly CompleteEntry[], nextCursor?: string): ResultPage {
  return {
    results: results.map(entry => describeResult(engine, entry)),
    ...(nextCursor === undefined ? {} : { nextCursor }),
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

function describeResult(engine: Engine, entry: CompleteEntry): ResultInfo {
  const { refId, toolName, label, completedAt, valueBytes } = entry
  return {
    refId,
    label: label ?? (toolName === undefined ? 'value' : engine.toolLabel(toolName)),
    completedAt: toDate(completedAt),
    valueBytes,
  }
}
