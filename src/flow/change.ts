import type { Entry } from '../core/entry.ts'
import { StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { type EntryEvent, type Refusal, transition } from '../core/transition.ts'
import type { PayloadChanges } from '../stores/store.ts'
import type { Engine } from './engine.ts'

/** `entry` is what is stored now; `refused` says why the event did not happen. */
export type Change = { entry: Entry; refused?: Refusal } | { entry?: undefined; refused: 'gone' }

/** Each lost race means that somebody else made progress, so this many in a row is a broken store. */
const MAX_RACES = 100

/**
 * Applies an event to an entry, whoever else is changing it: transition, compare and set. The entry is read only where this
 * process does not know it, or knows an old version of it.
 * @param known the entry as the caller has it, or its reference
 */
export async function change(
  engine: Engine,
  known: Entry | RefId,
  event: EntryEvent,
  parts?: PayloadChanges,
): Promise<Change> {
  const { followed } = engine
  const refId = typeof known === 'string' ? known : known.refId
  let entry = newer(typeof known === 'string' ? undefined : known, followed.latest(refId))
  let isCurrent = false
  for (let race = 0; race < MAX_RACES; race++) {
    if (!entry) {
      entry = await followed.readAnew(refId)
      isCurrent = true
    }
    if (!entry) return { refused: 'gone' }
    const moved = transition(entry, event)
    if (moved.ok && (await followed.update(moved.entry, entry.version, parts))) return { entry: moved.entry }
    if (!moved.ok && isCurrent) return { entry, refused: moved.refused }
    entry = undefined
  }
  throw new StoreUnavailable(
    'The store refused an update again and again although nothing stands against it.',
  )
}

function newer(one: Entry | undefined, other: Entry | undefined): Entry | undefined {
  return one && other ? (other.version > one.version ? other : one) : (one ?? other)
}
