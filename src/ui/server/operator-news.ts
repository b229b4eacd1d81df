import { setImmediate as turn } from 'node:timers/promises'
import type { RefId } from '../../core/ref.ts'
import { UseIndex } from '../../core/use-index.ts'
import type { InspectedEntry, Inspector } from '../../inspect/index.ts'

/** So many of the newest entries are looked at for what they were made of, before changes are followed. */
const LOOKED_AT_FIRST = { 'in flight': 1_000, ended: 5_000 } as const
const PAGE = 500
const MOST_USERS = 50_000
/** So many entries that have another number of users are told of at once. */
const MOST_USED = 200

/** What happens in a store, and how many entries were made of each. */
export class OperatorNews {
  readonly #uses = new UseIndex(MOST_USERS)
  #cursor: string | undefined

  constructor(private readonly inspector: Inspector) {}

  usersOf(refId: RefId): number | undefined {
    return this.#uses.countOf(refId)
  }

  /** What happened since the last time; the first time says where to begin. */
  async next() {
    const { cursor, ...told } = await this.inspector.changes(this.#cursor)
    const isComplete = this.#cursor !== undefined && told.isComplete
    if (!isComplete) await this.#countUsers()
    this.#cursor = cursor
    const used = new Set<RefId>()
    for (const { refId, uses } of told.changed) for (const one of this.#uses.add(refId, uses)) used.add(one)
    for (const refId of told.deleted) for (const one of this.#uses.delete(refId)) used.add(one)
    for (const refId of [...told.changed.map(entry => entry.refId), ...told.deleted]) used.delete(refId)
    const others = isComplete ? await this.#entries([...used].slice(0, MOST_USED)) : []
    return { isComplete, changed: [...told.changed, ...others], deleted: told.deleted }
  }

  async #countUsers(): Promise<void> {
    this.#uses.clear()
    await this.#look(['pending', 'processing'], LOOKED_AT_FIRST['in flight'])
    await this.#look(['complete', 'failed', 'cancelled'], LOOKED_AT_FIRST.ended)
  }

  async #look(statuses: ReadonlyArray<InspectedEntry['status']>, most: number): Promise<void> {
    let cursor: string | undefined
    for (let looked = 0; looked < most; looked += PAGE) {
      const { entries, nextCursor } = await this.inspector.list({ statuses, limit: PAGE, cursor })
      for (const { refId, uses } of entries) this.#uses.add(refId, uses)
      if (nextCursor === undefined) return
      cursor = nextCursor
      await turn()
    }
  }

  async #entries(refIds: readonly RefId[]): Promise<InspectedEntry[]> {
    const found = await Promise.all(refIds.map(refId => this.inspector.entry(refId).catch(() => undefined)))
    return found.filter(entry => entry !== undefined)
  }
}
