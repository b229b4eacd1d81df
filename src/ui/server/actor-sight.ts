import type { Actor } from '../../access/actor.ts'
import type { RefId } from '../../core/ref.ts'
import type { RefCache } from '../../ref-cache.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import type { ListQuery, Seen, SeenChanges, SeenPage, Sight } from './sight.ts'

/**
 * What an actor may see of one cache. It lists what the actor had made itself; another entry is shown to whoever has its reference and
 * may know of it, as everywhere.
 */
export class ActorSight implements Sight {
  readonly #feed: ReturnType<RefCache[typeof ADAPTERS]['knownFeed']>
  #begun: Promise<void> | undefined

  constructor(
    private readonly cache: RefCache,
    private readonly actor: Actor,
  ) {
    this.#feed = cache[ADAPTERS].knownFeed(actor)
  }

  async overview() {
    await this.#begin()
    return { sight: 'actor' as const, ...this.#feed.counts, caches: [this.cache.name] }
  }

  async list({ cache, ...query }: ListQuery): Promise<SeenPage> {
    if (cache !== undefined && cache !== this.cache.name) return { entries: [] }
    return this.cache[ADAPTERS].listKnown({ actor: this.actor, ...query })
  }

  entry(refId: RefId): Promise<Seen> {
    return this.cache[ADAPTERS].knownEntry(refId, this.actor)
  }

  async open() {
    return { cache: this.cache, actor: this.actor }
  }

  async look(): Promise<SeenChanges> {
    if (this.#begun) return { isComplete: true, ...(await this.#feed.next()) }
    await this.#begin()
    return { isComplete: false, changed: [], deleted: [] }
  }

  /** What all callers of the process saved would tell of the others. */
  async savings() {
    return []
  }

  #begin(): Promise<void> {
    this.#begun ??= this.#feed.begin().catch(error => {
      this.#begun = undefined
      throw error
    })
    return this.#begun
  }
}
