import { type Entry, isInFlight } from '../core/entry.ts'
import { UnreadableValue } from '../core/errors.ts'
import type { Tool } from '../core/tool.ts'
import type { Claim } from '../stores/store.ts'
import type { DraftedCall } from './draft.ts'
import type { Engine } from './engine.ts'
import type { Place } from './queue.ts'
import { admit, enter } from './start.ts'
import { sourcesOf } from './values.ts'

/** Somebody else may store another such entry in between; so often is damage, not chance. */
const MAX_TRIES = 5

/** A place in the queue comes with work that was won. */
type Claimed = Claim & { readonly place?: Place }

/**
 * Claims a call's computation. A finished entry that cannot answer the call is no hit: it loses its key, so that the
 * call runs and its result takes that place.
 *
 * @throws QueueFull when its work would have to wait and too many wait already; UnreadableValue when that happens again
 *   and again
 */
export async function claim(engine: Engine, tool: Tool, drafted: DraftedCall): Promise<Claimed> {
  for (let tries = 1; ; tries++) {
    const claimed = await claimOnce(engine, tool, drafted)
    if (claimed.won || isInFlight(claimed.entry)) return claimed
    const unreadable = await whyUnreadable(engine, claimed.entry)
    if (!unreadable) return claimed
    if (tries === MAX_TRIES) throw unreadable
    engine.logger.warn(`A stored result of ${tool.name} is not used: ${unreadable.message} It is made anew.`)
    await releaseKey(engine, claimed.entry)
  }
}

/** Nothing is claimed without a place, so a call that is refused leaves nothing, and nobody can join it. */
async function claimOnce(
  engine: Engine,
  tool: Tool,
  { draft, parts, unsettled }: DraftedCall,
): Promise<Claimed> {
  const { store, clock } = engine
  let place = enter(engine, tool, unsettled)
  if (!place) {
    const found =
      draft.key === undefined ? undefined : await store.findByKey(engine.name, draft.key, clock.now())
    if (found) return { won: false, entry: found }
    // Perhaps one is free by now: hits give theirs back at once.
    place = admit(engine, tool, { namespace: draft.namespace, unsettled })
  }
  try {
    const claimed = await store.claim(draft, clock.now(), parts)
    if (claimed.won) return { ...claimed, place }
    place.leave()
    return claimed
  } catch (error) {
    place.leave()
    throw error
  }
}

/** What is read here is kept for the answer. */
async function whyUnreadable(engine: Engine, entry: Entry): Promise<UnreadableValue | undefined> {
  try {
    await sourcesOf(engine, entry)
    return undefined
  } catch (error) {
    if (error instanceof UnreadableValue) return error
    throw error
  }
}

/** Where the entry changed meanwhile, the next claim sees what it is by then. */
async function releaseKey(engine: Engine, { key: _, ...entry }: Entry): Promise<void> {
  await engine.store.update({ ...entry, version: entry.version + 1 }, entry.version)
}
