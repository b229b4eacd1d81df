import { type Actor, type ActorLike, isDescribed, toActor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { cursorAt, pageLimit, placeAt, placeBetween } from '../../core/cursor.ts'
import { type Entry, isExpired } from '../../core/entry.ts'
import { checkNames, type Names } from '../../core/options.ts'
import type { Engine } from '../engine.ts'
import { describe, type TaskInfo } from './task-info.ts'

/** Options of `RefCache.listTasks`. */
export interface ListTasksOptions {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /** At most this many; at most 200. @defaultValue 50 */
  limit?: number | undefined
  /** Where the last page ended: its `nextCursor`. */
  cursor?: string | undefined
}

/** One page of tasks, and the cursor of the next. */
export interface TaskList {
  /** The newest first. May be fewer than asked for, or none, although there are more. */
  readonly tasks: readonly TaskInfo[]
  /** Absent on the last page. */
  readonly nextCursor?: string
}

/** How many entries one step reads, and one call at most. */
const BATCH = 500
const MAX_SCANNED = 2_000

const OPTIONS: Names<ListTasksOptions> = { actor: true, limit: true, cursor: true }

/** The tasks that the actor itself started and may know of, in flight or settled. */
export async function listTasks(engine: Engine, options: ListTasksOptions): Promise<TaskList> {
  checkNames(options, OPTIONS, '`listTasks`')
  const who = toActor(options.actor)
  const limit = pageLimit(options.limit)
  let after = options.cursor === undefined ? undefined : placeAt(engine, options.cursor)
  const tasks: TaskInfo[] = []
  let last: Entry | undefined
  for (let scanned = 0; ; ) {
    // One entry more than is looked at says whether there is more.
    const size = Math.min(BATCH, MAX_SCANNED + 1 - scanned)
    const batch = await engine.store.list({
      cacheName: engine.name,
      limit: size,
      newestFirst: true,
      ...(after === undefined ? {} : { after }),
    })
    for (const entry of batch) {
      if (last !== undefined && (tasks.length === limit || scanned === MAX_SCANNED)) {
        return { tasks, nextCursor: cursorAt(engine, placeBetween(engine, last, entry)) }
      }
      if (isListed(engine, entry, who)) tasks.push(describe(engine, entry, who))
      scanned++
      last = after = entry
    }
    if (batch.length < size) return { tasks }
  }
}

function isListed(engine: Engine, entry: Entry, who: Actor): boolean {
  // A label is what `set` gives: a value that no task made.
  if (entry.label !== undefined || isExpired(entry, engine.clock.now())) return false
  return isDescribed(entry.startedBy, who) && engine.access.may(entry, who, READ_OR_EXECUTE)
}
