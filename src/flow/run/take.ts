import { cacheNameOf, type RefId } from '../../core/ref.ts'
import type { TakeWork } from '../../execution/dispatcher.ts'
import type { Engine } from '../engine.ts'
import { newLease } from './lease.ts'
import { runHere } from './run.ts'

/** Takes work that was announced, in this process or another one. */
export async function take(engine: Engine, refId: RefId): ReturnType<TakeWork> {
  if (cacheNameOf(refId) !== engine.name) return 'foreign'
  for (;;) {
    const entry = await engine.store.get(refId)
    if (entry?.status !== 'pending') return 'not_pending'
    if (engine.closing.aborted) return 'closing'
    const tool = engine.tools.get(entry.toolName ?? '')
    if (!tool) return 'unknown_tool'
    const { version: seen, lease } = entry
    const now = engine.clock.now()
    const event = { type: 'take', seen, lease: newLease(engine), together: false, now } as const
    const taken = await engine.entries.change(entry, event)
    if (!taken.refused && taken.entry.status === 'pending') {
      await runHere(engine, tool, taken.entry).done
      return (await waitsAgain(engine, refId)) ? 'closing' : 'ended'
    }
    const { entry: changed } = taken
    // Something else about it changed, so it still waits; or another process took it.
    if (changed?.status !== 'pending' || changed.lease.owner !== lease.owner) return 'not_pending'
  }
}

/** Whether a task that was taken was let go before it began, because this process ends. */
async function waitsAgain(engine: Engine, refId: RefId): Promise<boolean> {
  if (!engine.closing.aborted) return false
  const entry = await engine.store.get(refId).catch(() => undefined)
  return entry?.status === 'pending'
}

/** Brings a task here from the process where it follows work of this one, so that the work can go on for it. */
export async function takeFollower(engine: Engine, refId: RefId, follows: RefId): Promise<void> {
  const now = engine.clock.now()
  const event = { type: 'take-follower', follows, lease: newLease(engine), now } as const
  const { entry, refused } = await engine.entries.change(refId, event)
  const tool = engine.tools.get(entry?.toolName ?? '')
  if (!refused && tool && entry?.status === 'pending') runHere(engine, tool, entry)
}
