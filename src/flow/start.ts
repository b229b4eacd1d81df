import type { Entry, Lease } from '../core/entry.ts'
import { QueueFull } from '../core/errors.ts'
import type { Tool } from '../core/tool.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import { performer } from './run.ts'
import { expiry, toTaskError } from './settle.ts'

/**
 * Starts the work of an entry whose lease this process holds. The only place where work starts.
 *
 * @throws QueueFull when too many tasks wait already; the entry then says so as well
 */
export async function start(engine: Engine, tool: Tool, { refId }: Entry, lease: Lease): Promise<void> {
  const place = engine.queue.enter(tool.name, tool.maxConcurrentTasks)
  if (place) return engine.runner.start(refId, performer(engine, tool, lease, place))
  const error = new QueueFull('Too many tasks are waiting already. Try again in a while.')
  const now = engine.clock.now()
  const expiresAt = expiry(now, engine.settings.taskRetention)
  await change(engine, refId, { type: 'fail', owner: lease.owner, now, expiresAt, error: toTaskError(error) })
  throw error
}
