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

/** Lets an event happen to an entry, whoever else is changing it: read, transition, compare and set, again if need be. */
export async function change(
  engine: Engine,
  refId: RefId,
  event: EntryEvent,
  parts?: PayloadChanges,
): Promise<Change> {
  for (let race = 0; race < MAX_RACES; race++) {
    const entry = await engine.store.get(refId)
    if (!entry) return { refused: 'gone' }
    const moved = transition(entry, event)
    if (!moved.ok) return { entry, refused: moved.refused }
    if (await engine.store.update(moved.entry, entry.version, parts)) return { entry: moved.entry }
  }
  throw new StoreUnavailable(
    'The store refused an update again and again although nothing stands against it.',
  )
}
