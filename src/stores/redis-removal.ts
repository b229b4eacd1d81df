import { type RemovedEntry, removedEntries } from '../core/entry.ts'
import { UnknownStoreFormat } from '../core/errors.ts'
import { type AnsweredPlace, afterAnswered, exactly } from './redis-arguments.ts'
import { CLEAR, PRUNE } from './redis-scripts.ts'
import type { RedisServer } from './redis-server.ts'

/** Scripts hold up all other clients, so long work is done in steps of so many entries. */
const STEP = 500

/** Removes many entries, in steps. */
export class RedisRemoval {
  constructor(private readonly server: RedisServer) {}

  async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    const cleared: RemovedEntry[] = []
    for (let place: [string, string] | undefined = ['', '']; place; ) {
      const args = [...place, namespace === undefined ? '' : exactly(namespace), String(STEP)]
      const [records, next] = (await this.server.run(CLEAR, cacheName, args)) as [Buffer[], AnsweredPlace]
      cleared.push(...removedEntries(records.map(String)))
      place = afterAnswered(next)
    }
    return cleared
  }

  async prune(now: number, limit: number): Promise<RemovedEntry[]> {
    const pruned: RemovedEntry[] = []
    for (const cache of await this.server.caches()) {
      for (let more = true; more && pruned.length < limit; ) {
        const most = Math.min(limit - pruned.length, STEP)
        const [records, seen] = await this.#pruneCache(cache, now, most)
        pruned.push(...removedEntries(records.map(String)))
        more = seen === most
      }
    }
    return pruned
  }

  /** A cache of another format is left to those who know it. */
  async #pruneCache(
    cacheName: string,
    now: number,
    most: number,
  ): Promise<[records: Buffer[], seen: number]> {
    try {
      return (await this.server.run(PRUNE, cacheName, [String(now), String(most)])) as [Buffer[], number]
    } catch (error) {
      if (error instanceof UnknownStoreFormat) return [[], 0]
      throw error
    }
  }
}
