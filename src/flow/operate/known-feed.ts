import type { Actor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import type { Entry } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { describeKnown, type KnownEntry } from './known.ts'
import { isOwn, pageOfOwn } from './own-entries.ts'

/** What happened to an actor's own entries since the last look. */
export interface KnownChanges {
  /** False: what was known may be out of date, and `changed` has nothing. List everything anew. */
  readonly isComplete: boolean
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

/** The newest own entries are counted and followed, so many at most. */
const MOST_ENTRIES = 10_000
/** So many pages are looked through for them: others may have far more entries. */
const MOST_PAGES = 50
const CHANGES_AT_ONCE = 1_000

interface Counted extends Pick<Entry, 'status' | 'toolName'> {
  readonly bytes: number
}

/**
 * Follows what an actor had made itself. Of what others do it tells nothing: not that it happened, and not that anything is gone which
 * the actor did not know.
 */
export class KnownFeed {
  readonly #entries = new Map<RefId, Counted>()
  #cursor: string | undefined

  constructor(
    private readonly engine: Engine,
    private readonly who: Actor,
  ) {}

  /** Looks at what there is, and begins to follow it from now. @throws StoreUnavailable */
  async begin(): Promise<void> {
    const { engine, who } = this
    this.#cursor = (await engine.store.changes(engine.name, undefined, 1)).cursor
    this.#entries.clear()
    let cursor: string | undefined
    for (let page = 0; page < MOST_PAGES && this.#entries.size < MOST_ENTRIES; page++) {
      const { entries, nextCursor } = await pageOfOwn(engine, who, { limit: 200, cursor })
      for (const entry of entries) this.#count(entry)
      cursor = nextCursor
      if (cursor === undefined) return
    }
  }

  /** @throws StoreUnavailable */
  async next(): Promise<KnownChanges> {
    const { engine, who } = this
    const told = await engine.store.changes(engine.name, this.#cursor, CHANGES_AT_ONCE)
    this.#cursor = told.cursor
    if (!told.isComplete) {
      await this.begin()
      return { isComplete: false, changed: [], deleted: [] }
    }
    const latest = new Map(told.changes.map(({ refId, what }) => [refId, what]))
    const isThere = (refId: RefId) => latest.get(refId) !== 'deleted'
    const peeked = await engine.store.peek([...latest.keys()].filter(isThere))
    const own = peeked.filter(entry => isOwn(engine, entry, who))
    const deleted = [...latest.keys()].filter(refId => !isThere(refId) && this.#entries.delete(refId))
    for (const entry of own) this.#count(entry)
    return { isComplete: true, changed: own.map(entry => describeKnown(engine, entry, who)), deleted }
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

  #count(entry: Entry): void {
    const { refId, status, toolName } = entry
    const mayRead = this.engine.access.may(entry, this.who, Permission.READ)
    const bytes = status === 'complete' && mayRead ? entry.valueBytes : 0
    if (this.#entries.size < MOST_ENTRIES || this.#entries.has(refId)) {
      this.#entries.set(refId, { status, bytes, ...(toolName === undefined ? {} : { toolName }) })
    }
  }
}
