import type { Actor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { type Entry, madeFrom } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import { UseIndex } from '../../core/use-index.ts'
import type { Engine } from '../engine.ts'
import { describeKnown, type KnownEntry } from './known.ts'
import { isOwn, pageOfOwn } from './own-entries.ts'

/** What happened to an actor's own entries since the last look. */
export interface KnownChanges {
  readonly changed: readonly KnownEntry[]
  readonly deleted: readonly RefId[]
}

/** How an actor's own entries stand. */
export interface KnownCounts {
  readonly running: number
  readonly waiting: number
  readonly stored: number
  readonly storedBytes: number
  readonly tools: readonly string[]
}

/** So many pages that are not full are looked through for own entries: others may have far more. */
const MOST_SPARSE_PAGES = 10
const PAGE = 200
/** So many own entries are counted at most, and followed when they go. */
const MOST_ENTRIES = 10_000
const CHANGES_AT_ONCE = 1_000

interface Counted extends Pick<Entry, 'status' | 'toolName' | 'version'> {
  readonly bytes: number
}

/**
 * Follows what an actor had made itself. Of what others do it tells nothing: not that it happened, and not that anything is gone which
 * the actor did not know.
 */
export class KnownFeed {
  readonly #entries = new Map<RefId, Counted>()
  readonly #uses = new UseIndex(MOST_ENTRIES)
  #cursor: string | undefined

  constructor(
    private readonly engine: Engine,
    private readonly who: Actor,
  ) {}

  /** Looks at what there is, and begins to follow it from now. @throws StoreUnavailable */
  async begin(): Promise<void> {
    const { found, cursor } = await this.#look()
    for (const entry of found) this.#count(entry)
    this.#cursor = cursor
  }

  /** @throws StoreUnavailable */
  async next(): Promise<KnownChanges> {
    const { engine } = this
    const told = await engine.store.changes(engine.name, this.#cursor, CHANGES_AT_ONCE)
    // That the store does not know all any more may come from what others did: nobody is told of it.
    if (!told.isComplete) return this.#lookAnew()
    const latest = new Map(told.changes.map(({ refId, what }) => [refId, what]))
    const isThere = (refId: RefId) => latest.get(refId) !== 'deleted'
    const peeked = await engine.store.peek([...latest.keys()].filter(isThere))
    this.#cursor = told.cursor
    const own = peeked.filter(entry => isOwn(engine, entry, this.who))
    return this.#note(
      own,
      [...latest.keys()].filter(refId => !isThere(refId)),
    )
  }

  /** The newest own entries, and where what happens after this goes on. */
  async #look() {
    const { engine, who } = this
    const { cursor: begin } = await engine.store.changes(engine.name, undefined, 1)
    const found: Entry[] = []
    let cursor: string | undefined
    let sparse = 0
    while (found.length < MOST_ENTRIES && sparse < MOST_SPARSE_PAGES) {
      const { entries, nextCursor } = await pageOfOwn(engine, who, { limit: PAGE, cursor })
      found.push(...entries)
      if (entries.length < PAGE) sparse++
      cursor = nextCursor
      if (cursor === undefined) break
      await new Promise<void>(resolve => setImmediate(resolve))
    }
    return { found, cursor: begin }
  }

  /** All that is there now, held against what was known. */
  async #lookAnew(): Promise<KnownChanges> {
    const { engine } = this
    const { found, cursor } = await this.#look()
    const there = new Set(found.map(({ refId }) => refId))
    const missing = [...this.#entries.keys()].filter(refId => !there.has(refId))
    // What is older than the pages that were looked through is still there.
    for (const { refId } of await engine.store.peek(missing)) there.add(refId)
    this.#cursor = cursor
    const isNews = ({ refId, version }: Entry) => this.#entries.get(refId)?.version !== version
    return this.#note(
      found.filter(isNews),
      missing.filter(refId => !there.has(refId)),
    )
  }

  /** That another number of entries was made of one is news of that one, too. */
  async #note(entries: readonly Entry[], gone: readonly RefId[]): Promise<KnownChanges> {
    const used = new Set<RefId>()
    const deleted = gone.filter(refId => this.#entries.delete(refId))
    for (const refId of deleted) for (const one of this.#uses.delete(refId)) used.add(one)
    for (const entry of entries) for (const one of this.#count(entry)) used.add(one)
    for (const { refId } of entries) used.delete(refId)
    const own = [...used].filter(refId => this.#entries.has(refId)).slice(0, PAGE)
    const others = (await this.engine.store.peek(own)).filter(entry => isOwn(this.engine, entry, this.who))
    return {
      changed: [...entries, ...others].map(entry => describeKnown(this.engine, entry, this.who)),
      deleted,
    }
  }

  /** How many own entries were made of one. */
  usersOf(refId: RefId): number | undefined {
    return this.#uses.countOf(refId)
  }

  get counts(): KnownCounts {
    const all = [...this.#entries.values()]
    const of = (status: Entry['status']) => all.filter(entry => entry.status === status)
    const complete = of('complete')
    const names = all.flatMap(({ toolName }) => toolName ?? [])
    return {
      running: of('processing').length,
      waiting: of('pending').length,
      stored: complete.length,
      storedBytes: complete.reduce((sum, { bytes }) => sum + bytes, 0),
      tools: [...new Set(names)].map(name => this.engine.toolLabel(name)),
    }
  }

  /** Gives those that it is a new user of. */
  #count(entry: Entry): readonly RefId[] {
    const { refId, status, toolName, version } = entry
    const mayRead = this.engine.access.may(entry, this.who, Permission.READ)
    const bytes = status === 'complete' && mayRead ? entry.valueBytes : 0
    if (this.#entries.size >= MOST_ENTRIES && !this.#entries.has(refId)) return []
    this.#entries.set(refId, { status, bytes, version, ...(toolName === undefined ? {} : { toolName }) })
    return this.#uses.add(refId, madeFrom(entry))
  }
}
