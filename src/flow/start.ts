import { expiry, type PendingEntry } from '../core/entry.ts'
import { QueueFull } from '../core/errors.ts'
import type { Tool } from '../core/tool.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import type { Place } from './queue.ts'
import { performer } from './run.ts'
import { toTaskError } from './settle.ts'

/** Starts the work of an entry whose lease this process holds. The only place where work starts. */
export function start(engine: Engine, tool: Tool, entry: PendingEntry, place?: Place): void {
  engine.runner.start(entry.refId, performer(engine, tool, entry, place))
}

/**
 * A place for a task that is not admitted yet.
 *
 * @param unsettled the task has to wait for references in its input that are in flight
 * @throws QueueFull when too many tasks wait already
 */
export function admit(engine: Engine, { name, maxConcurrentTasks }: Tool, unsettled: boolean): Place {
  const { queue } = engine
  const place = unsettled ? queue.enterAside(name, maxConcurrentTasks) : queue.enter(name, maxConcurrentTasks)
  if (place) return place
  throw new QueueFull('Too many tasks are waiting already. Try again in a while.')
}

/** Starts a new call's work. @throws QueueFull; the entry then says so to whoever joined it */
export async function startNew(
  engine: Engine,
  tool: Tool,
  entry: PendingEntry,
  unsettled: boolean,
): Promise<void> {
  try {
    start(engine, tool, entry, admit(engine, tool, unsettled))
  } catch (error) {
    const now = engine.clock.now()
    const expiresAt = expiry(now, engine.settings.taskRetention)
    const { owner } = entry.lease
    await change(engine, entry.refId, { type: 'fail', owner, now, expiresAt, error: toTaskError(error) })
    throw error
  }
}
