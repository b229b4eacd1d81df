import { type Entry, isInFlight, type PendingEntry } from '../core/entry.ts'
import { UnreadableValue } from '../core/errors.ts'
import type { Claim, PartChanges } from '../stores/store.ts'
import type { Engine } from './engine.ts'
import { sourcesOf } from './values.ts'

/** Somebody else may store another such entry in between; so often is damage, not chance. */
const MAX_TRIES = 5

/**
 * Claims a call's computation. A finished entry that cannot answer the call is no hit: it loses its key, so that the
 * call runs and its result takes that place.
 *
 * @throws UnreadableValue when this happens again and again
 */
export async function claim(engine: Engine, draft: PendingEntry, parts: PartChanges): Promise<Claim> {
  for (let tries = 1; ; tries++) {
    const claimed = await engine.store.claim(draft, engine.clock.now(), parts)
    if (claimed.won || isInFlight(claimed.entry)) return claimed
    const unreadable = await whyUnreadable(engine, claimed.entry)
    if (!unreadable) return claimed
    if (tries === MAX_TRIES) throw unreadable
    engine.logger.warn(
      `A stored result of ${draft.toolName} is not used: ${unreadable.message} It is made anew.`,
    )
    await releaseKey(engine, claimed.entry)
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
