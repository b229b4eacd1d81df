import { type Actor, isDescribed } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { cursorAt, pageLimit, placeAt, placeBetween } from '../../core/cursor.ts'
import { type Entry, type EntryStatus, isExpired } from '../../core/entry.ts'
import type { Engine } from '../engine.ts'

/** Which of an actor's own entries are listed. */
export interface OwnFilter {
  readonly statuses?: readonly EntryStatus[] | undefined
  readonly isWanted?: ((entry: Entry) => boolean) | undefined
  /** At most this many; at most 200. @defaultValue 50 */
  readonly limit?: number | undefined
  /** Where the last page ended: its `nextCursor`. */
  readonly cursor?: string | undefined
}

/** One page. It may hold fewer than asked for, or none, although there are more. */
export interface OwnPage {
  /** The newest first. */
  readonly entries: readonly Entry[]
  /** Absent on the last page. */
  readonly nextCursor?: string
}

/** How many entries one step reads, and one call at most. */
const BATCH = 500
const MAX_SCANNED = 2_000

/** Whether the actor itself had it made, and may know of it. Lists have nothing else, so that they tell nobody of what others do. */
export function isOwn(engine: Engine, entry: Entry, who: Actor): boolean {
  if (isExpired(entry, engine.clock.now())) return false
  return isDescribed(entry.startedBy, who) && engine.access.may(entry, who, READ_OR_EXECUTE)
}

/** A page of what the actor itself had made. @throws InvalidArgument for a cursor that this list did not give */
export async function pageOfOwn(engine: Engine, who: Actor, filter: OwnFilter): Promise<OwnPage> {
  const { statuses, isWanted = () => true, cursor } = filter
  const limit = pageLimit(filter.limit)
  let after = cursor === undefined ? undefined : placeAt(engine, cursor)
  const entries: Entry[] = []
  let last: Entry | undefined
  for (let scanned = 0; ; ) {
    // One entry more than is looked at says whether there is more.
    const size = Math.min(BATCH, MAX_SCANNED + 1 - scanned)
    const batch = await engine.store.list({
      cacheName: engine.name,
      limit: size,
      newestFirst: true,
      ...(statuses ? { statuses } : {}),
      ...(after === undefined ? {} : { after }),
    })
    for (const entry of batch) {
      if (last !== undefined && (entries.length === limit || scanned === MAX_SCANNED)) {
        return { entries, nextCursor: cursorAt(engine, placeBetween(engine, last, entry)) }
      }
      if (isWanted(entry) && isOwn(engine, entry, who)) entries.push(entry)
      scanned++
      last = after = entry
    }
    if (batch.length < size) return { entries }
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}
