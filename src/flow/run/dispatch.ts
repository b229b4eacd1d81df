import type { InFlightEntry } from '../../core/entry.ts'
import { QueueFull } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { GivenInput } from '../call/draft.ts'
import type { Engine } from '../engine.ts'
import type { Ticket } from './queue.ts'
import { performer } from './run.ts'

/**
 * Starts the work of an entry whose lease this process holds. The only place where work starts.
 * @param given its input, where this process has it
 */
export function start(
  engine: Engine,
  tool: Tool,
  entry: InFlightEntry,
  place?: Ticket,
  given?: GivenInput,
): void {
  engine.runner.start(entry.refId, performer(engine, tool, entry, place, given))
}

/** What is to be admitted: a call, or a retry of what has a reference already. */
interface Admission {
  readonly namespace: string
  readonly refId?: RefId
  /** The task has to wait for references in its input that are in flight. */
  readonly unsettled: boolean
}

/** A place for a task that is not admitted yet; nothing when too many tasks wait already. */
export function enter(
  { queue }: Engine,
  { name, maxConcurrentTasks }: Tool,
  unsettled: boolean,
): Ticket | undefined {
  return unsettled ? queue.enterAside(name, maxConcurrentTasks) : queue.enter(name, maxConcurrentTasks)
}

/** The same. @throws QueueFull instead of giving nothing */
export function admit(engine: Engine, tool: Tool, { unsettled, ...of }: Admission): Ticket {
  const place = enter(engine, tool, unsettled)
  if (place) return place
  const error = new QueueFull('Too many tasks are waiting already. Try again in a while.')
  engine.events.emit(events.refused({ toolName: tool.name, ...of }, error.code))
  throw error
}
