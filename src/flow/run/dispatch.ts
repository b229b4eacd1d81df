import type { InFlightEntry } from '../../core/entry.ts'
import { QueueFull } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { TakeWork } from '../../execution/dispatcher.ts'
import type { GivenInput } from '../call/draft.ts'
import type { Engine } from '../engine.ts'
import { newLease } from './lease.ts'
import type { Ticket } from './queue.ts'
import { runTask } from './run.ts'

/**
 * Starts the work of an entry whose lease this process holds. The only place where work starts.
 * @param given its input, where this process has it
 */
export function start(
  engine: Engine,
  tool: Tool,
  entry: InFlightEntry,
  ticket?: Ticket,
  given?: GivenInput,
): void {
  const taker = engine.dispatcher.dispatch({ refId: entry.refId, toolName: tool.name })
  if (taker === 'here') void begin(engine, tool, entry, ticket, given)
  // Whoever takes it gives it a place there.
  else ticket?.leave()
}

/** Takes work that was announced, in this process or another one. */
export async function take(engine: Engine, refId: RefId): ReturnType<TakeWork> {
  const entry = await engine.store.get(refId)
  if (entry?.status !== 'pending' || engine.closing.aborted) return 'not_pending'
  const tool = engine.tools.get(entry.toolName ?? '')
  if (!tool) return 'unknown_tool'
  const { version: seen } = entry
  const now = engine.clock.now()
  const event = { type: 'take', seen, lease: newLease(engine), together: false, now } as const
  const taken = await engine.entries.change(entry, event)
  if (taken.refused || taken.entry.status !== 'pending') return 'not_pending'
  await begin(engine, tool, taken.entry)
  return 'ended'
}

/** Brings a task here from the process where it follows work of this one, so that the work can go on for it. */
export async function takeFollower(engine: Engine, refId: RefId, follows: RefId): Promise<void> {
  const now = engine.clock.now()
  const event = { type: 'take-follower', follows, lease: newLease(engine), now } as const
  const { entry, refused } = await engine.entries.change(refId, event)
  const tool = engine.tools.get(entry?.toolName ?? '')
  if (!refused && tool && entry?.status === 'pending') void begin(engine, tool, entry)
}

function begin(
  engine: Engine,
  tool: Tool,
  entry: InFlightEntry,
  ticket?: Ticket,
  given?: GivenInput,
): Promise<void> {
  return engine.running.begin(entry, controller =>
    runTask(engine, tool, entry, { ticket, given, controller }),
  )
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
