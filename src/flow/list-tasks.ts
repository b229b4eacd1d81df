import { type Actor, type ActorLike, isDescribed, toActor } from '../access/actor.ts'
import { KNOW } from '../access/authorize.ts'
import { type Entry, isExpired } from '../core/entry.ts'
import { InvalidArgument } from '../core/errors.ts'
import { checkCount } from '../core/options.ts'
import { isRefOf, type RefId } from '../core/ref.ts'
import type { Engine } from './engine.ts'
import { describe, type TaskInfo } from './task-info.ts'

export interface ListTasksOptions {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /** At most this many; at most 200. @defaultValue 50 */
  limit?: number | undefined
  /** Where the last page ended: its `nextCursor`. */
  cursor?: string | undefined
}

export interface TaskList {
  /** In no order that means anything. May be fewer than asked for, or none, although there are more. */
  readonly tasks: readonly TaskInfo[]
  /** Absent on the last page. */
  readonly nextCursor?: string
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200

/** How many entries one step reads, and one call at most. */
const BATCH = 500
const MAX_SCANNED = 2_000

/** The tasks that the actor itself started and may know of, in flight or settled. */
export async function listTasks(engine: Engine, options: ListTasksOptions): Promise<TaskList> {
  const who = toActor(options.actor)
  const limit = Math.min(checkCount(options.limit ?? DEFAULT_LIMIT, 'limit'), MAX_LIMIT)
  let after = options.cursor === undefined ? undefined : positionOf(engine, options.cursor)
  const tasks: TaskInfo[] = []
  for (let scanned = 0; scanned < MAX_SCANNED; scanned += BATCH) {
    const batch = await engine.store.list({
      cacheName: engine.name,
      limit: BATCH,
      ...(after === undefined ? {} : { after }),
    })
    for (const entry of batch) {
      after = entry.refId
      if (isListed(engine, entry, who)) tasks.push(describe(engine, entry, who))
      if (tasks.length === limit) return { tasks, nextCursor: cursorAt(after) }
    }
    if (batch.length < BATCH) return { tasks }
  }
  return { tasks, ...(after === undefined ? {} : { nextCursor: cursorAt(after) }) }
}

function isListed(engine: Engine, entry: Entry, who: Actor): boolean {
  // A label is what `set` gives: a value that no task made.
  if (entry.label !== undefined || isExpired(entry, engine.clock.now())) return false
  return isDescribed(entry.startedBy, who) && engine.access.may(entry, who, KNOW)
}

/** Characters of a reference that a cursor leaves out. */
const HIDDEN = 20

/**
 * The last entry that was looked at may be somebody else's, and its reference is nobody else's to have: a cursor
 * gives 48 of its 128 bits away, enough to tell entries apart and far too few to guess it.
 */
function cursorAt(refId: RefId): string {
  return refId.slice(0, -HIDDEN)
}

/** The last reference that there could be before the next page. */
function positionOf(engine: Engine, cursor: unknown): RefId {
  const position = `${cursor}${'f'.repeat(HIDDEN)}`
  if (typeof cursor === 'string' && isRefOf(engine.name, position)) return position
  throw new InvalidArgument('This is no cursor of this list. Begin again without one.')
}
