import { done, paced, type Steps } from '../core/steps.ts'
import { LONGEST_TOKEN } from '../tokens/rank-table.ts'
import { loadTokenizer, type Tokenizer } from '../tokens/tokenizer.ts'
import type { Size, SizeMode } from './size.ts'
import type { Source } from './source.ts'

/** The unit that sizes are in: how to measure a text, and how to measure its beginnings at little cost. */
export interface Ruler {
  /** A text longer than so many characters a unit is certainly over. */
  readonly longestUnit: number
  /** Characters that a unit takes in ordinary JSON: only a first guess. */
  readonly usualUnit: number
  /** Exact up to `limit`; beyond it some size above `limit`. */
  size(text: string, limit?: number): Steps<number>
  /** Sizes of the first `end` characters of the text and `close`, as `size` would say. */
  beginnings(text: string, limit: number): (end: number, close: string) => Steps<number>
}

const characters: Ruler = {
  longestUnit: 1,
  usualUnit: 1,
  size: text => done(text.length),
  beginnings: () => (end, close) => done(end + close.length),
}

function tokens(tokenizer: Tokenizer): Ruler {
  return {
    longestUnit: LONGEST_TOKEN,
    usualUnit: 3,
    size: (text, limit) => tokenizer.count(text, limit),
    beginnings(text, limit) {
      const beginnings = tokenizer.beginnings(text)
      return (end, close) => beginnings.count(end, close, limit)
    },
  }
}

export async function rulerFor(sizeMode: SizeMode): Promise<Ruler> {
  return sizeMode === 'character' ? characters : tokens(await loadTokenizer())
}

/** Characters of JSON up to which its size is exact. */
export const EXACT_UP_TO = 1_000_000
const SAMPLES = 64
const SAMPLE_LENGTH = 4096

/** The size of the value's compact JSON: exact up to a million characters, above that an estimate. */
export function measure(source: Source, sizeMode: SizeMode): Promise<Size> {
  return source.remember(source.sizes, sizeMode, () => measureText(source.json, sizeMode))
}

/** The same of a text. */
export async function measureText(text: string, sizeMode: SizeMode): Promise<Size> {
  const ruler = await rulerFor(sizeMode)
  return paced(sizeSteps(text, ruler))
}

/**
 * The size of a text, if that is at most `limit`. A text never has more tokens than UTF-8 bytes: where the bytes are within the
 * limit, they stand for the tokens, and the token table is not loaded.
 */
export async function sizeWithin(
  text: string,
  sizeMode: SizeMode,
  limit: number,
): Promise<number | undefined> {
  const bytes = sizeMode === 'token' && text.length <= limit ? Buffer.byteLength(text) : undefined
  if (bytes !== undefined && bytes <= limit) return bytes
  const ruler = await rulerFor(sizeMode)
  const size = await paced(ruler.size(text, limit))
  return size <= limit ? size : undefined
}

function* sizeSteps(json: string, ruler: Ruler): Steps<Size> {
  if (json.length <= EXACT_UP_TO || ruler.longestUnit === 1) return { size: yield* ruler.size(json) }
  let counted = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = Math.floor((sample * (json.length - SAMPLE_LENGTH)) / (SAMPLES - 1))
    counted += yield* ruler.size(json.slice(start, start + SAMPLE_LENGTH))
  }
  return { size: Math.round((counted * json.length) / (SAMPLES * SAMPLE_LENGTH)), isEstimate: true }
}
