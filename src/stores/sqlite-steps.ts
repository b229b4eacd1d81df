import { setImmediate as turn } from 'node:timers/promises'
import type { Entry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { type EntryCount, type ListFilter, type Place, TASKS_AT_ONCE } from './store.ts'
import { Counts } from './store-counts.ts'

/** What reads much, in steps: in between, others in this process have their turn. */

const DEFAULT_LIST_LIMIT = 100
/** So many entries are read in one step. */
const LISTED_AT_ONCE = 500

export async function listInSteps(connection: SqliteConnection, filter: ListFilter): Promise<Entry[]> {
  const { limit = DEFAULT_LIST_LIMIT } = filter
  const found: Entry[] = []
  for (let rest = filter; ; await turn()) {
    const wanted = Math.min(limit - found.length, LISTED_AT_ONCE)
    const some = await connection.run(({ listing }) => listing.list({ ...rest, limit: wanted }))
    found.push(...some)
    const last = some.at(-1)
    if (!last || some.length < wanted || found.length >= limit) return found
    rest = { ...filter, after: last }
  }
}

export async function countInSteps(
  connection: SqliteConnection,
  cacheName: string,
  now: number,
): Promise<EntryCount[]> {
  const counts = new Counts()
  for (let after: Place | undefined; ; await turn()) {
    const { counts: some, next } = await connection.run(({ listing }) => listing.count(cacheName, now, after))
    for (const each of some) counts.add(each, each)
    if (!next) return counts.all
    after = next
  }
}

export async function* tasksInSteps(
  connection: SqliteConnection,
  cacheName: string,
  process: string,
): AsyncGenerator<RefId[]> {
  for (let after: RefId | undefined; ; await turn()) {
    const batch = await connection.run(({ owners }) => owners.tasksOf(cacheName, process, after))
    if (batch.length > 0) yield batch
    after = batch.at(-1)
    if (batch.length < TASKS_AT_ONCE) return
  }
}
