import { type Entry, isInFlight } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'

/** The settled entries, in the order in which they make room. Tasks in flight are never among them. */
export class EvictionOrder {
  /** The least recently used one first. */
  readonly #used = new Set<RefId>()
  /** Results of tasks that nobody fetched yet, the oldest first. */
  readonly #unfetched = new Set<RefId>()
  #lastUsed: RefId | undefined

  /** @param before what was stored in the place of the entry */
  put(entry: Entry, before: Entry | undefined): void {
    const { refId } = entry
    const isUnfetched = this.#unfetched.has(refId) || (before !== undefined && isInFlight(before))
    this.drop(refId)
    if (isInFlight(entry)) return
    if (isUnfetched) this.#unfetched.add(refId)
    else this.#add(refId)
  }

  use(refId: RefId): void {
    if (refId === this.#lastUsed) return
    const isSettled = this.#used.delete(refId) || this.#unfetched.delete(refId)
    if (isSettled) this.#add(refId)
  }

  drop(refId: RefId): void {
    this.#used.delete(refId)
    this.#unfetched.delete(refId)
    if (this.#lastUsed === refId) this.#lastUsed = undefined
  }

  clear(): void {
    this.#used.clear()
    this.#unfetched.clear()
    this.#lastUsed = undefined
  }

  *[Symbol.iterator](): Generator<RefId> {
    yield* this.#used
    yield* this.#unfetched
  }

  #add(refId: RefId): void {
    this.#used.add(refId)
    this.#lastUsed = refId
  }
}
