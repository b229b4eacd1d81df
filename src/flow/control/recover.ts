import { expiry, type InFlightEntry, isInFlight, isRepeatable, ownerOf } from '../../core/entry.ts'
import { events } from '../../core/events.ts'
import { mayRunAgain } from '../../core/losses.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { newLease } from '../run/lease.ts'
import { start } from '../run/run.ts'

/**
 * What becomes of a task whose process is gone: one that never began may begin anywhere; one that did is run again only where that does
 * no harm, and is given up elsewhere. False where it is left to a process that has its tool, or to its caller's return.
 * @param together the lost process ran other tasks, too
 */
export async function recover(engine: Engine, entry: InFlightEntry, together: boolean): Promise<boolean> {
  const tool = toolOf(engine, entry)
  if (!mayBeginAgain(entry)) await giveUp(engine, entry)
  else if (tool && !engine.awaitedCallers.isAwaitedBy(entry)) await takeOver(engine, entry, tool, together)
  else return false
  return true
}

/** Nobody takes it over: it fails, and can be tried again by hand. */
export async function giveUp(engine: Engine, entry: InFlightEntry): Promise<void> {
  const now = engine.clock.now()
  const expiresAt = expiry(now, engine.settings.taskRetention)
  const lost = await engine.entries.change(entry, { type: 'lose', seen: entry.version, now, expiresAt })
  if (!lost.refused && !isInFlight(lost.entry)) engine.events.emit(events.settled(lost.entry))
}

/**
 * A task that this process has and does not run: the store's answer to its claim was lost, say, or it was announced to other processes
 * and nobody took it. What was announced is announced again, which changes nothing in the store.
 */
export async function recoverStray(engine: Engine, refId: RefId): Promise<void> {
  const entry = await engine.store.get(refId)
  if (!entry || !isInFlight(entry) || ownerOf(entry) !== engine.instance || engine.running.has(refId)) return
  const { dispatcher } = engine
  const tool = toolOf(engine, entry)
  if (tool && entry.status === 'pending' && dispatcher.shared) {
    if (dispatcher.dispatch({ refId, toolName: tool.name }) === 'elsewhere') return
  }
  if (await recover(engine, entry, true)) return
  const now = engine.clock.now()
  await engine.entries.change(entry, { type: 'release', owner: entry.lease.owner, now })
}

async function takeOver(engine: Engine, entry: InFlightEntry, tool: Tool, together: boolean): Promise<void> {
  const lease = newLease(engine)
  const now = engine.clock.now()
  const event = { type: 'take', seen: entry.version, lease, together, now } as const
  const taken = await engine.entries.change(entry, event)
  if (taken.refused || taken.entry.status !== 'pending') return
  engine.events.emit(events.recovered(taken.entry))
  // Without a place, which it takes when it is due: it was admitted once, so a full queue must not cost it its life.
  start(engine, tool, taken.entry)
}

function toolOf(engine: Engine, { toolName = '' }: InFlightEntry): Tool | undefined {
  return engine.tools.get(toolName)
}

function mayBeginAgain(entry: InFlightEntry): boolean {
  return entry.status === 'pending' || (isRepeatable(entry) && mayRunAgain(entry.losses))
}
