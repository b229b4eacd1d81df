import type { EntryStatus } from '../core/entry.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import {
  type AnsweredPlace,
  afterAnswered,
  exactly,
  indexOf,
  patternOf,
  placeArguments,
} from './redis-arguments.ts'
import { idOf } from './redis-keys.ts'
import { CHANGES, COUNT, INDEX_OLDER, LIST, MATCH, PEEK } from './redis-scripts.ts'
import type { RedisServer } from './redis-server.ts'
import type { Changes, EntryChange, EntryCount, ListFilter } from './store.ts'
import { Counts } from './store-counts.ts'

/** Scripts hold up all other clients, so long work is done in steps of so many entries. */
const STEP = 500

/** Looks at the entries of a server, cache by cache. */
export class RedisIndex {
  /** Caches whose entries all have their place. */
  readonly #isOrdered = new Set<string>()

  constructor(private readonly server: RedisServer) {}

  /** Records. */
  async list(filter: ListFilter, limit: number): Promise<Buffer[]> {
    const { cacheName, namespace, statuses, newestFirst } = filter
    await this.#order(cacheName)
    const found: Buffer[] = []
    for (let place: [string, string] | undefined = placeArguments(cacheName, filter.after); place; ) {
      if (found.length >= limit) break
      const [records, next] = (await this.server.run(LIST, cacheName, [
        indexOf(filter),
        ...place,
        newestFirst ? '1' : '',
        namespace === undefined ? '' : exactly(namespace),
        statuses ? `,${statuses.join(',')},` : '',
        String(Math.min(limit - found.length, STEP)),
        String(STEP),
      ])) as [Buffer[], AnsweredPlace]
      found.push(...records)
      place = afterAnswered(next)
    }
    return found
  }

  /** Records. */
  async peek(refIds: readonly RefId[]): Promise<Buffer[]> {
    const caches = [...new Set(refIds.map(cacheNameOf))]
    const found = await Promise.all(
      caches.map(cacheName => {
        const ids = refIds.filter(refId => cacheNameOf(refId) === cacheName).map(idOf)
        return this.server.run(PEEK, cacheName, ids)
      }),
    )
    return (found as Buffer[][]).flat()
  }

  async match(prefix: string, limit: number): Promise<RefId[]> {
    const found: RefId[] = []
    for (const cacheName of await this.server.caches()) {
      const pattern = patternOf(cacheName, prefix)
      for (let cursor = pattern === undefined ? undefined : '0'; cursor !== undefined; ) {
        const args = [cursor, pattern ?? '', String(STEP)]
        const [next, ids] = (await this.server.run(MATCH, cacheName, args)) as [Buffer, Buffer[]]
        for (const id of ids) found.push(`${cacheName}:${id}`)
        cursor = String(next) === '0' ? undefined : String(next)
      }
    }
    return found.sort().slice(0, limit)
  }

  async count(cacheName: string, now: number): Promise<EntryCount[]> {
    await this.#order(cacheName)
    const counts = new Counts()
    for (let place: [string, string] | undefined = ['', '']; place; ) {
      const args = [String(now), ...place, String(STEP)]
      const [answer, next] = (await this.server.run(COUNT, cacheName, args)) as [Buffer[], AnsweredPlace]
      for (let at = 0; at < answer.length; at += 5) {
        const counted = countOf(answer.slice(at, at + 5).map(String))
        counts.add(counted, counted)
      }
      place = afterAnswered(next)
    }
    return counts.all
  }

  async changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes> {
    const isCursor = cursor === undefined || /^\d{1,20}-\d{1,20}$/.test(cursor)
    const args = [(isCursor && cursor) || '', String(limit)]
    const [isKnown, next, told] = (await this.server.run(CHANGES, cacheName, args)) as [
      number,
      Buffer,
      Buffer[],
    ]
    const changes: EntryChange[] = []
    for (let at = 0; at < told.length; at += 2) {
      changes.push({ refId: `${cacheName}:${told[at]}`, what: String(told[at + 1]) as EntryChange['what'] })
    }
    return { isComplete: isCursor && isKnown === 1, changes, cursor: String(next) }
  }

  /** Entries of older versions are put in their places once. */
  async #order(cacheName: string): Promise<void> {
    if (this.#isOrdered.has(cacheName)) return
    while (Number(await this.server.run(INDEX_OLDER, cacheName, [String(STEP)])) === STEP);
    this.#isOrdered.add(cacheName)
  }
}

function countOf([status, namespace = '', toolName = '', count, valueBytes]: string[]): EntryCount {
  return {
    namespace: JSON.parse(namespace) as string,
    status: status as EntryStatus,
    ...(toolName === '' ? {} : { toolName: JSON.parse(toolName) as string }),
    count: Number(count),
    valueBytes: Number(valueBytes),
  }
}
