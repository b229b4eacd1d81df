import type { Steps } from '../core/steps.ts'

/** Larger than every rank: no such token. */
export const NO_RANK = 0x7fffffff

/** Bytes of the longest o200k token. */
export const LONGEST_TOKEN = 128

const RANK_BITS = 18
const RANK_MASK = 2 ** RANK_BITS - 1
/** More than twice as many slots as there are tokens, so that a search ends soon. */
const SLOTS = 2 ** 19
const LAST_SLOT = SLOTS - 1
const TOKENS_PER_STEP = 2000
const WORK_PER_TOKEN = 2

/**
 * Ranks by token, in 5 MB where a Map of strings takes 30: an open hash table over the packed bytes. A slot holds a
 * token's rank + 1 and, above it, some bits of its hash, so that few tokens are compared in vain. 0 is free.
 */
export class RankTable {
  readonly #packed: Uint8Array
  /** Where in the packed bytes each token's length is. */
  readonly #starts = new Uint32Array(RANK_MASK)
  readonly #slots = new Int32Array(SLOTS)

  private constructor(packed: Uint8Array) {
    this.#packed = packed
  }

  /** `packed`: in order of rank, each token's length and bytes. A length of 0 is a rank without a token. */
  static *from(packed: Uint8Array): Steps<RankTable> {
    const table = new RankTable(packed)
    let rank = 0
    for (let at = 0; at < packed.length; at += 1 + packed[at]!) {
      table.#add(rank, at)
      rank++
      if (rank % TOKENS_PER_STEP === 0) yield TOKENS_PER_STEP * WORK_PER_TOKEN
    }
    return table
  }

  /** The rank of the token that these bytes are, or NO_RANK. */
  rank(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length > LONGEST_TOKEN) return NO_RANK
    const packed = this.#packed
    const hash = hashOf(bytes, start, end)
    for (let slot = hash & LAST_SLOT; ; slot = (slot + 1) & LAST_SLOT) {
      const found = this.#slots[slot]!
      if (found === 0) return NO_RANK
      if ((found ^ hash) >>> RANK_BITS !== 0) continue
      const rank = (found & RANK_MASK) - 1
      const token = this.#starts[rank]!
      if (packed[token] !== length) continue
      let same = 0
      while (same < length && packed[token + 1 + same] === bytes[start + same]) same++
      if (same === length) return rank
    }
  }

  #add(rank: number, at: number): void {
    const length = this.#packed[at]!
    if (length === 0) return
    const hash = hashOf(this.#packed, at + 1, at + 1 + length)
    let slot = hash & LAST_SLOT
    while (this.#slots[slot] !== 0) slot = (slot + 1) & LAST_SLOT
    this.#slots[slot] = (hash & ~RANK_MASK) | (rank + 1)
    this.#starts[rank] = at
  }
}

/** FNV-1a, with the bits mixed once more: the low ones choose the slot, the high ones are kept in it. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
