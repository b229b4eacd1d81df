import { type ActorLike, toActor } from '../../access/actor.ts'
import { checkNames, type Names } from '../../core/options.ts'
import type { Engine } from '../engine.ts'
import { pageOfOwn } from './own-entries.ts'
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

const OPTIONS: Names<ListTasksOptions> = { actor: true, limit: true, cursor: true }

/** The tasks that the actor itself started and may know of, in flight or settled. */
export async function listTasks(engine: Engine, options: ListTasksOptions): Promise<TaskList> {
  checkNames(options, OPTIONS, '`listTasks`')
  const { limit, cursor } = options
  const who = toActor(options.actor)
  // A label is what `set` gives: a value that no task made.
  const isWanted = ({ label }: { label?: string }) => label === undefined
  const { entries, nextCursor } = await pageOfOwn(engine, who, { limit, cursor, isWanted })
  const tasks = entries.map(entry => describe(engine, entry, who))
  return { tasks, ...(nextCursor === undefined ? {} : { nextCursor }) }
}
