import type { Steps } from '../core/steps.ts'
import { NO_RANK, type RankTable } from './rank-table.ts'

const POSITIONS = 2 ** 31
const MERGES_PER_STEP = 512
/** A merge through the heap costs about as much as so many characters of plain counting. */
const WORK_PER_MERGE = 12

const starts = new Int32Array(1024)
const pairs = new Int32Array(1024)

/** How many tokens a short piece, the first `length` bytes, merges into: looks through all pairs for the best, each time. */
export function countShort(ranks: RankTable, bytes: Uint8Array, length: number): number {
  let parts = length
  for (let at = 0; at < parts; at++) {
    starts[at] = at
    pairs[at] = at + 1 < parts ? ranks.rank(bytes, at, at + 2) : NO_RANK
  }
  starts[parts] = parts
  for (;;) {
    let best = 0
    for (let at = 1; at < parts; at++) if (pairs[at]! < pairs[best]!) best = at
    if (pairs[best] === NO_RANK || parts === 1) return parts
    parts--
    starts.copyWithin(best + 1, best + 2, parts + 2)
    pairs.copyWithin(best + 1, best + 2, parts + 1)
    pairs[best] = best + 1 < parts ? ranks.rank(bytes, starts[best]!, starts[best + 2]!) : NO_RANK
    if (best > 0) pairs[best - 1] = ranks.rank(bytes, starts[best - 1]!, starts[best + 1]!)
  }
}

/** The same for a long piece: parts in a linked list, pairs in a heap, so that n bytes take n log n. */
export function* countLong(ranks: RankTable, bytes: Uint8Array): Steps<number> {
  const length = bytes.length
  const next = new Int32Array(length + 1)
  const previous = new Int32Array(length + 1)
  const pairOf = new Int32Array(length + 1).fill(NO_RANK)
  const heap = new PairHeap(2 * length)
  const consider = (at: number) => {
    const middle = next[at]!
    const rank = middle < length ? ranks.rank(bytes, at, next[middle]!) : NO_RANK
    pairOf[at] = rank
    if (rank !== NO_RANK) heap.push(rank * POSITIONS + at)
  }
  for (let at = 0; at <= length; at++) {
    next[at] = at + 1
    previous[at] = at - 1
  }
  for (let at = 0; at + 1 < length; at++) {
    consider(at)
    if (at % MERGES_PER_STEP === 0) yield MERGES_PER_STEP * WORK_PER_MERGE
  }
  let parts = length
  for (let popped = 1; heap.size > 0; popped++) {
    if (popped % MERGES_PER_STEP === 0) yield MERGES_PER_STEP * WORK_PER_MERGE
    const best = heap.pop()
    const at = best % POSITIONS
    // Left over from before a neighbour was merged.
    if (pairOf[at] !== (best - at) / POSITIONS) continue
    const merged = next[at]!
    pairOf[merged] = NO_RANK
    next[at] = next[merged]!
    previous[next[at]!] = at
    parts--
    consider(at)
    if (at > 0) consider(previous[at]!)
  }
  return parts
}

/** Smallest first: by rank, then by position, both in one number. */
class PairHeap {
  size = 0
  #items: Float64Array

  constructor(capacity: number) {
    this.#items = new Float64Array(capacity + 1)
  }

  push(item: number): void {
    const items = this.#items
    let at = this.size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]! <= item) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  pop(): number {
    const items = this.#items
    const top = items[0]!
    const item = items[--this.size]!
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.size) break
      if (child + 1 < this.size && items[child + 1]! < items[child]!) child++
      if (items[child]! >= item) break
      items[at] = items[child]!
      at = child
    }
    items[at] = item
    return top
  }
}
