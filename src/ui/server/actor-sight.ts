import { type Actor, describeActor } from '../../access/actor.ts'
import type { Clock } from '../../core/clock.ts'
import type { RefId } from '../../core/ref.ts'
import type { RefCache } from '../../ref-cache.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import { type News, SharedFeed } from './shared-feed.ts'
import type { ListQuery, Seen, SeenChanges, SeenPage, Sight } from './sight.ts'

/**
 * What an actor may see of one cache. It lists what the actor had made itself; another entry is shown to whoever has its reference and
 * may know of it, as everywhere.
 */
export class ActorSight implements Sight {
  readonly #known: ReturnType<RefCache[typeof ADAPTERS]['knownFeed']>
  readonly #feed: SharedFeed
  /** When somebody looked last, by the monotonic clock. */
  usedAt: number
  #hasBegun = false

  constructor(
    private readonly cache: RefCache,
    private readonly actor: Actor,
    private readonly clock: Clock,
  ) {
    this.usedAt = clock.monotonic()
    this.#known = cache[ADAPTERS].knownFeed(actor)
    this.#feed = new SharedFeed(() => this.#news(), clock)
  }

  async overview() {
    await this.#feed.refresh()
    return { sight: 'actor' as const, ...this.#known.counts, caches: [this.cache.name] }
  }

  async list({ cache, ...query }: ListQuery): Promise<SeenPage> {
    if (cache !== undefined && cache !== this.cache.name) return { entries: [] }
    const listing = this.cache[ADAPTERS].listKnown({ actor: this.actor, ...query })
    const [page] = await Promise.all([listing, this.#feed.refresh()])
    return { ...page, entries: page.entries.map(entry => this.#seen(entry)) }
  }

  async entry(refId: RefId): Promise<Seen> {
    return this.#seen(await this.cache[ADAPTERS].knownEntry(refId, this.actor))
  }

  async open() {
    return { cache: this.cache, actor: this.actor }
  }

  look(since: number | undefined): Promise<SeenChanges> {
    // A page that is open may ask for nothing else.
    this.usedAt = this.clock.monotonic()
    return this.#feed.look(since)
  }

  /** What all callers of the process saved would tell of the others. */
  async savings() {
    return []
  }

  async #news(): Promise<News> {
    if (!this.#hasBegun) {
      await this.#known.begin()
      this.#hasBegun = true
      return { isComplete: false, changed: [], deleted: [] }
    }
    const { changed, deleted } = await this.#known.next()
    return { isComplete: true, changed: changed.map(entry => this.#seen(entry)), deleted }
  }

  #seen(entry: Seen): Seen {
    const usedBy = this.#known.usersOf(entry.refId)
    return usedBy === undefined ? entry : { ...entry, usedBy }
  }
}

/** Unused for this long, a sight is dropped. */
const IDLE_MS = 60_000
const MOST_SIGHTS = 100

/** A sight for each actor that looks. It is kept for a while, so that what an actor had made is not looked through for each request. */
export class ActorSights {
  /** The one whose requests are the longest ago first. */
  readonly #sights = new Map<string, ActorSight>()

  constructor(
    private readonly cache: RefCache,
    private readonly clock: Clock,
  ) {}

  of(actor: Actor): ActorSight {
    const now = this.clock.monotonic()
    const name = describeActor(actor)
    const sight = this.#sights.get(name) ?? new ActorSight(this.cache, actor, this.clock)
    sight.usedAt = now
    this.#sights.delete(name)
    this.#sights.set(name, sight)
    for (const [other, { usedAt }] of this.#sights) {
      if (this.#sights.size > MOST_SIGHTS || now - usedAt >= IDLE_MS) this.#sights.delete(other)
    }
    return sight
  }
}
