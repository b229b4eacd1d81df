import type { Namespace } from '../../access/namespace.ts'
import { cursorAt, placeAt } from '../../core/cursor.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { ENTRY_STATUSES, type Entry, type EntryStatus } from '../../core/entry.ts'
import { describeEntry, type EntryInfo } from '../../core/entry-info.ts'
import { InvalidArgument, NotFound } from '../../core/errors.ts'
import { checkChoice, checkCount, checkNames, type Names } from '../../core/options.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { find } from '../read/find.ts'
import { scan } from './list.ts'

/** Options of `RefCache.list`. */
export interface ListOptions {
  /** One namespace, as it is or as an `EntryInfo` shows it. @defaultValue all */
  namespace?: Namespace | undefined
  toolName?: string | undefined
  statuses?: readonly EntryStatus[] | undefined
  /** Made at least this long ago. */
  olderThan?: Duration | undefined
  /** Made less than this long ago. */
  newerThan?: Duration | undefined
  /** At most this many, up to 1000. @defaultValue 100 */
  limit?: number | undefined
  /** The `nextCursor` of the page before. */
  cursor?: string | undefined
  /** Ends the search with its reason. */
  signal?: AbortSignal | undefined
}

/** A page may hold less than its limit, or nothing, and still not be the last: that is the one without `nextCursor`. */
export interface EntryPage {
  readonly entries: readonly EntryInfo[]
  readonly nextCursor?: string
}

const MAX_LIMIT = 1_000

/** How many entries one call looks at, so that a filter that little passes costs no call more than that. */
const MAX_LOOKED_AT = 10_000

const LIST_OPTIONS: Names<ListOptions> = {
  namespace: true,
  toolName: true,
  statuses: true,
  olderThan: true,
  newerThan: true,
  limit: true,
  cursor: true,
  signal: true,
}

/** The entries that the filters leave, the newest first. */
export async function list(engine: Engine, options: ListOptions): Promise<EntryPage> {
  checkNames(options, LIST_OPTIONS, '`list`')
  const { namespace, statuses, cursor, limit = 100, signal } = options
  if (checkCount(limit, 'limit') > MAX_LIMIT) throw new InvalidArgument(`limit is at most ${MAX_LIMIT}.`)
  for (const status of statuses ?? []) checkChoice(status, ENTRY_STATUSES, 'A status')
  const passes = filterOf(engine, options)
  const after = cursor === undefined ? undefined : placeAt(engine, cursor)
  const found: Entry[] = []
  let lookedAt = 0
  let last: Entry | undefined
  for await (const { entry, wanted } of scan(engine, { namespace, statuses, after, signal })) {
    const listed = wanted && passes(entry)
    if (last !== undefined && ((listed && found.length === limit) || lookedAt === MAX_LOOKED_AT)) {
      return pageOf(found, cursorAt(engine, last))
    }
    if (listed) found.push(entry)
    lookedAt++
    last = entry
  }
  return pageOf(found)
}

/** One entry. @throws NotFound */
export async function inspect(engine: Engine, refId: RefId): Promise<EntryInfo> {
  const entry = await find(engine, refId)
  if (!entry) throw new NotFound()
  return describeEntry(entry)
}

/** What the store does not filter by. */
function filterOf(engine: Engine, { toolName, olderThan, newerThan }: ListOptions) {
  const now = engine.clock.now()
  const latest =
    olderThan === undefined ? Number.POSITIVE_INFINITY : now - toMilliseconds(olderThan, 'olderThan')
  const after =
    newerThan === undefined ? Number.NEGATIVE_INFINITY : now - toMilliseconds(newerThan, 'newerThan')
  return (entry: Entry) =>
    entry.createdAt <= latest &&
    entry.createdAt > after &&
    (toolName === undefined || entry.toolName === toolName)
}

function pageOf(found: readonly Entry[], nextCursor?: string): EntryPage {
  return { entries: found.map(describeEntry), ...(nextCursor === undefined ? {} : { nextCursor }) }
}
