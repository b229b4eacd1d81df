import type { RefId } from '../core/ref.ts'

/** A place in the order: by number, then by reference. */
export interface OrderKey {
  readonly at: number
  readonly refId: RefId
}

const MAX_CHUNK = 512

/** Items in order. They lie in chunks, so that adding, removing and finding one cost about the same however many there are. */
export class MemoryOrder<Item> {
  /** None of them is empty. */
  readonly #chunks: Item[][] = []

  constructor(private readonly keyOf: (item: Item) => OrderKey) {}

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  /** Its key must stay as it is until it is removed. */
  add(item: Item): void {
    const key = this.keyOf(item)
    const number = Math.min(this.#chunkOf(key), this.#chunks.length - 1)
    const chunk = this.#chunks[number]
    if (!chunk) {
      this.#chunks.push([item])
      return
    }
    const at = this.#positionIn(chunk, key)
    if (chunk.length < MAX_CHUNK) chunk.splice(at, 0, item)
    // Items mostly come in order: then full chunks stay full.
    else if (at === chunk.length) this.#chunks.splice(number + 1, 0, [item])
    else {
      this.#chunks.splice(number + 1, 0, chunk.splice(MAX_CHUNK / 2))
      this.add(item)
    }
  }

  remove(item: Item): void {
    const key = this.keyOf(item)
    const number = this.#chunkOf(key)
    const chunk = this.#chunks[number]
    const at = chunk ? this.#positionIn(chunk, key) : 0
    if (chunk?.[at] !== item) return
    chunk.splice(at, 1)
    if (chunk.length === 0) this.#chunks.splice(number, 1)
  }

  /** Up to `count` items beyond a place, from there on upwards or downwards; without one, from the end where that begins. */
  beyond(place: OrderKey | undefined, count: number, downwards = false): Item[] {
    return downwards ? this.#below(place, count) : this.#above(place, count)
  }

  #above(place: OrderKey | undefined, count: number): Item[] {
    const found: Item[] = []
    let number = place ? this.#chunkOf(place) : 0
    let chunk = this.#chunks[number]
    let at = place && chunk ? this.#positionIn(chunk, place) : 0
    const there = chunk?.[at]
    if (place && there !== undefined && compare(this.keyOf(there), place) === 0) at++
    for (; chunk && found.length < count; chunk = this.#chunks[++number], at = 0) {
      found.push(...chunk.slice(at, at + count - found.length))
    }
    return found
  }

  #below(place: OrderKey | undefined, count: number): Item[] {
    const found: Item[] = []
    let number = place ? Math.min(this.#chunkOf(place), this.#chunks.length - 1) : this.#chunks.length - 1
    let chunk = this.#chunks[number]
    let end = place && chunk ? this.#positionIn(chunk, place) : (chunk?.length ?? 0)
    for (; chunk && found.length < count; chunk = this.#chunks[--number], end = chunk?.length ?? 0) {
      found.push(...chunk.slice(Math.max(0, end - (count - found.length)), end).reverse())
    }
    return found
  }

  /** The first chunk whose last item does not lie before the key. */
  #chunkOf(key: OrderKey): number {
    return firstWhere(this.#chunks.length, number => {
      const last = this.#chunks[number]?.at(-1)
      return last !== undefined && compare(this.keyOf(last), key) >= 0
    })
  }

  /** Where the key stands in the chunk, or would. */
  #positionIn(chunk: readonly Item[], key: OrderKey): number {
    return firstWhere(chunk.length, at => compare(this.keyOf(chunk[at] as Item), key) >= 0)
  }
}

function compare(one: OrderKey, other: OrderKey): number {
  return one.at - other.at || (one.refId < other.refId ? -1 : one.refId > other.refId ? 1 : 0)
}

/** The least number from 0 for which it holds, or `count`; it holds for all that follow. */
function firstWhere(count: number, holds: (number: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
