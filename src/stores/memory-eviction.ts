import { type Entry, isInFlight } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'

/** One entry in its queue. */
interface Link {
  readonly refId: RefId
  queue: Queue
  before: Link | undefined
  after: Link | undefined
}

/** From the first that makes room to the last. Linked, because a Set that lost its first members is slow to begin with. */
class Queue {
  first: Link | undefined
  last: Link | undefined

  add(link: Link): void {
    link.queue = this
    link.before = this.last
    link.after = undefined
    if (this.last) this.last.after = link
    else this.first = link
    this.last = link
  }

  remove({ before, after }: Link): void {
    if (before) before.after = after
    else this.first = after
    if (after) after.before = before
    else this.last = before
  }
}

/** The settled entries, in the order in which they make room. Tasks in flight are never among them. */
export class EvictionOrder {
  /** The least recently used one first. */
  readonly #used = new Queue()
  /** Results of tasks that nobody fetched yet, the oldest first. */
  readonly #unfetched = new Queue()
  readonly #links = new Map<RefId, Link>()

  /** @param before what was stored in the place of the entry */
  put(entry: Entry, before: Entry | undefined): void {
    const { refId } = entry
    const link = this.#links.get(refId)
    const isUnfetched = link?.queue === this.#unfetched || (before !== undefined && isInFlight(before))
    this.drop(refId)
    if (isInFlight(entry)) return
    const queue = isUnfetched ? this.#unfetched : this.#used
    const added = link ?? { refId, queue, before: undefined, after: undefined }
    queue.add(added)
    this.#links.set(refId, added)
  }

  use(refId: RefId): void {
    const link = this.#links.get(refId)
    if (!link || link === this.#used.last) return
    link.queue.remove(link)
    this.#used.add(link)
  }

  drop(refId: RefId): void {
    const link = this.#links.get(refId)
    link?.queue.remove(link)
    this.#links.delete(refId)
  }

  /** Nothing may be put, used or dropped meanwhile. */
  *[Symbol.iterator](): Generator<RefId> {
    for (const { first } of [this.#used, this.#unfetched]) {
      for (let link = first; link; link = link.after) yield link.refId
    }
  }
}
