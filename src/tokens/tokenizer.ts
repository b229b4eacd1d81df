import { brotliDecompressSync } from 'node:zlib'
import { paced, type Steps } from '../core/steps.ts'
import { countLong, countShort } from './merge.ts'
import { Pieces } from './pieces.ts'
import { LONGEST_TOKEN, NO_RANK, RankTable } from './rank-table.ts'

/** Bytes from which on a piece is merged through a heap. */
const LONG_PIECE = 256
const CACHED_PIECES = 20_000
/** A longer slice of a string keeps the whole string alive in V8: it must not get into a cache. */
const LONGEST_CACHED_PIECE = 12
const CHARACTERS_PER_STEP = 2048
/** A byte that has to be merged costs about as much as so many characters that are looked up. */
const WORK_PER_MERGED_BYTE = 4
const PIECES_PER_STEP = 512
const WORK_PER_PIECE = 5
const MOST_BYTES_PER_UNIT = 3

/** Counts o200k tokens. Special tokens in the text count as the plain text they are. */
export class Tokenizer {
  readonly #ranks: RankTable
  readonly #counts = new Map<string, number>()
  readonly #bytes = new Uint8Array(LONG_PIECE * MOST_BYTES_PER_UNIT)
  #mergedBytes = 0

  constructor(ranks: RankTable) {
    this.#ranks = ranks
  }

  /** The exact number of tokens up to `limit`; beyond it some number above `limit`, as soon as that is certain. */
  *count(text: string, limit = Number.POSITIVE_INFINITY): Steps<number> {
    // UTF-8 never takes fewer bytes than UTF-16 takes units.
    if (text.length > limit * LONGEST_TOKEN) return limit + 1
    const pieces = new Pieces(text)
    let total = 0
    let reported = 0
    let start = 0
    while (start < text.length && total <= limit) {
      const end = pieces.end(start)
      const piece = text.slice(start, end)
      const count = this.countQuickly(piece)
      total += count >= 0 ? count : yield* this.countSlowly(piece, limit - total)
      start = end
      if (start - reported > CHARACTERS_PER_STEP) {
        yield this.#workSince(reported, start)
        reported = start
      }
    }
    yield this.#workSince(reported, start)
    return total
  }

  /** Counts the beginnings of one text. */
  beginnings(text: string): Beginnings {
    return new Beginnings(text, this)
  }

  /** What one of the `Pieces` of a text counts, if it takes no long work to say; else -1. @internal */
  countQuickly(piece: string): number {
    const known = this.#counts.get(piece)
    if (known !== undefined) return known
    if (piece.length >= LONG_PIECE) return -1
    const length = encode(piece, this.#bytes)
    let count = 1
    if (this.#ranks.rank(this.#bytes, 0, length) === NO_RANK) {
      if (length >= LONG_PIECE) return -1
      this.#mergedBytes += length
      count = countShort(this.#ranks, this.#bytes, length)
    }
    if (piece.length <= LONGEST_CACHED_PIECE) {
      if (this.#counts.size >= CACHED_PIECES) this.#counts.clear()
      this.#counts.set(piece, count)
    }
    return count
  }

  /** @internal */
  *countSlowly(piece: string, limit: number): Steps<number> {
    if (piece.length > limit * LONGEST_TOKEN) return limit + 1
    return yield* countLong(this.#ranks, encoder.encode(piece))
  }

  #workSince(reported: number, now: number): number {
    const work = now - reported + this.#mergedBytes * WORK_PER_MERGED_BYTE
    this.#mergedBytes = 0
    return work
  }
}

interface Mark {
  position: number
  tokens: number
  /** The furthest index that a piece before this mark depends on. */
  seen: number
}

/**
 * Counts beginnings of one text, each closed by another ending. The text is tokenized once however many
 * beginnings are asked for: a piece counts for every beginning that holds all that the piece depends on. They end
 * between characters, not within a surrogate pair.
 */
export class Beginnings {
  readonly #text: string
  readonly #tokenizer: Tokenizer
  readonly #pieces: Pieces
  readonly #marks: Mark[] = [{ position: 0, tokens: 0, seen: -1 }]

  constructor(text: string, tokenizer: Tokenizer) {
    this.#text = text
    this.#tokenizer = tokenizer
    this.#pieces = new Pieces(text)
  }

  /** As `Tokenizer.count` of the first `end` characters and `close`. */
  *count(end: number, close: string, limit: number): Steps<number> {
    let mark = this.#marks.at(-1)!
    while (mark.tokens <= limit) {
      const pieceEnd = mark.position < end ? this.#pieces.end(mark.position) : end
      if (mark.position >= end || this.#pieces.seen >= end) break
      const piece = this.#text.slice(mark.position, pieceEnd)
      let tokens = this.#tokenizer.countQuickly(piece)
      if (tokens < 0) tokens = yield* this.#tokenizer.countSlowly(piece, limit - mark.tokens)
      mark = {
        position: pieceEnd,
        tokens: mark.tokens + tokens,
        seen: Math.max(mark.seen, this.#pieces.seen),
      }
      this.#marks.push(mark)
      if (this.#marks.length % PIECES_PER_STEP === 0) yield PIECES_PER_STEP * WORK_PER_PIECE
    }
    let last = this.#marks.length - 1
    while (this.#marks[last]!.seen >= end) last--
    const { position, tokens } = this.#marks[last]!
    if (tokens > limit) return limit + 1
    return tokens + (yield* this.#tokenizer.count(this.#text.slice(position, end) + close, limit - tokens))
  }
}

const encoder = new TextEncoder()

/** Writes the text as UTF-8; gives the number of bytes. A lone surrogate is U+FFFD, as in every encoder. */
function encode(text: string, bytes: Uint8Array): number {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 127) return encoder.encodeInto(text, bytes).written
    bytes[at] = unit
  }
  return text.length
}

let loading: Promise<Tokenizer> | undefined

/** The tokenizer of this process. Its table takes some 20 ms and 10 MB, so it is loaded when somebody first counts. */
export function loadTokenizer(): Promise<Tokenizer> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<Tokenizer> {
  const { o200kTokens } = await import('./o200k-tokens.ts')
  const packed = brotliDecompressSync(Buffer.from(o200kTokens, 'base64'))
  return new Tokenizer(await paced(RankTable.from(packed)))
}

export interface CountOptions {
  /** Stop once it is certain that there are more; the answer is then some number above the limit. */
  limit?: number
}

/** How many o200k tokens the text is. */
export async function countTokens(text: string, { limit }: CountOptions = {}): Promise<number> {
  const tokenizer = await loadTokenizer()
  return paced(tokenizer.count(text, limit))
}
