import type { JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { done, paced, type ReadingSteps, type Steps } from '../core/steps.ts'
import { LONGEST_TOKEN } from '../tokens/rank-table.ts'
import { loadTokenizer, type Tokenizer } from '../tokens/tokenizer.ts'
import { LARGE_VALUE } from '../values/segments/segment-index.ts'
import { denseTable } from './dense.ts'
import { type Items, itemEnds, valueOfItems } from './items.ts'
import type { Memo } from './memo.ts'

/** `token`: o200k tokens. `character`: UTF-16 units, as `String.length`. Both of the compact JSON. */
export type SizeMode = 'token' | 'character'

export interface Size {
  size: number
  /** The value is too large to be counted whole: `size` is projected from samples. */
  isEstimate?: true
}

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

const SAMPLES = 64
/** Of a value in segments, each of them mostly lies in another one. */
const SAMPLES_OF_ITEMS = 8
const SAMPLE_LENGTH = 4096

/** The size of the value's compact JSON: exact up to a megabyte, above that an estimate. */
export function measure(source: Memo & { readonly json: string }, sizeMode: SizeMode): Promise<Size> {
  return source.remember(`size ${sizeMode}`, () => measureText(source.json, sizeMode))
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
  if (json.length <= LARGE_VALUE || ruler.longestUnit === 1) return { size: yield* ruler.size(json) }
  let counted = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = Math.floor((sample * (json.length - SAMPLE_LENGTH)) / (SAMPLES - 1))
    counted += yield* ruler.size(json.slice(start, start + SAMPLE_LENGTH))
  }
  return { size: Math.round((counted * json.length) / (SAMPLES * SAMPLE_LENGTH)), isEstimate: true }
}

/**
 * What all pages of a value would cost: exact up to a megabyte, above that an estimate.
 * @param dense a list of records is shown as a table
 */
export function measurePages(
  content: Memo & { readonly items: Items },
  sizeMode: SizeMode,
  dense = false,
): Promise<Size> {
  const { items } = content
  const isTable = dense && items.kind === 'list'
  return content.remember(`size of pages ${sizeMode} ${isTable}`, async () =>
    measureItems(items, await rulerFor(sizeMode), isTable),
  )
}

/** The size of what some items are together. */
export async function measureItems(items: Items, ruler: Ruler, dense = false): Promise<Size> {
  const { start, end } = items
  if (end - start > LARGE_VALUE) return paced(estimateSteps(items, ruler, dense))
  return { size: await paced(wholeSteps(items, ruler, dense)) }
}

function* wholeSteps(items: Items, ruler: Ruler, dense: boolean): ReadingSteps<number> {
  const text = yield* items.slice(items.start, items.end)
  yield text.length / 8
  return yield* ruler.size(jsonOf(items, text, dense))
}

function* estimateSteps(items: Items, ruler: Ruler, dense: boolean): ReadingSteps<Size> {
  const { start, end } = items
  // Compact JSON costs about the same wherever it is cut.
  const isCut = items.form === 'plain' && !dense
  let counted = 0
  let seen = 0
  for (let sample = 0; sample < SAMPLES_OF_ITEMS; sample++) {
    const text = yield* sampleText(items, sample, isCut)
    const whole = isCut ? undefined : itemEnds(items, text, false).at(-1)
    yield text.length / 4
    seen += whole ?? text.length
    const isText = items.kind === 'text' || !isCut
    const json =
      whole === undefined
        ? isText
          ? JSON.stringify(text)
          : text
        : jsonOf(items, text.slice(0, whole), dense)
    counted += yield* ruler.size(json)
  }
  return { size: Math.round((counted * (end - start)) / Math.max(1, seen)), isEstimate: true }
}

function* sampleText(items: Items, sample: number, isCut: boolean): ReadingSteps<string> {
  const { start, end, count } = items
  const share = sample / (SAMPLES_OF_ITEMS - 1)
  const at = isCut
    ? start + Math.floor(share * (end - start - SAMPLE_LENGTH))
    : yield* items.itemStart(Math.floor(share * Math.max(0, count - 1)))
  return yield* items.slice(at, Math.min(at + SAMPLE_LENGTH, end))
}

/** As it is shown. */
function jsonOf(items: Items, text: string, dense: boolean): string {
  const { kind, form } = items
  if (!dense && form === 'plain' && kind !== 'text') {
    return kind === 'list' ? `[${text}]` : kind === 'object' ? `{${text}}` : text
  }
  const value = valueOfItems(items, text)
  const table = dense ? denseTable(value) : undefined
  return stringifyJson((table?.rows as JsonValue | undefined) ?? value)
}
