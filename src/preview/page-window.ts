import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { partEnds } from '../core/json-parts.ts'
import { stringifyJson } from '../core/json-text.ts'
import { escapedLineEnds } from '../core/lines.ts'
import { lastFitting, type ReadingSteps } from '../core/steps.ts'
import { wholeCharacter, wholeToken } from '../core/text-cuts.ts'
import { denseTable } from './dense.ts'
import { type Items, itemEnds, valueOfItems } from './items.ts'
import type { Ruler } from './measure.ts'

/** The JSON of a page that goes on, and where it may end. */
export interface PageWindow {
  /** Without its close. */
  readonly json: string
  readonly close: string
  /** Where the page may end: in the JSON, and in the text that it is of. */
  readonly ends: readonly number[]
  readonly textEnds: readonly number[]
  /** The columns of the table that it is. */
  readonly columns?: readonly string[]
}

/** Nothing in what was looked at is whole. */
const NOTHING: PageWindow = { json: '', close: '', ends: [], textEnds: [] }

interface PageFill {
  readonly source: Items
  readonly start: number
  /** Where there is no more to take. */
  readonly until: number
  readonly windowOf: (text: string, isAll: boolean) => PageWindow
  readonly ruler: Ruler
  readonly maxSize: number
  /** About how long the JSON of the page will be. */
  readonly expected: number
}

/** The window in which as many parts fit as do, and how many. Undefined: not one does. */
export function* fillPage({
  source,
  start,
  until,
  windowOf,
  ruler,
  maxSize,
  expected,
}: PageFill): ReadingSteps<{ window: PageWindow; count: number } | undefined> {
  for (let length = expected + (expected >> 1) + 64; ; length *= 4) {
    const text = yield* source.slice(start, Math.min(start + length, until))
    const isAll = start + text.length >= until
    const window = windowOf(text, isAll)
    const { json, ends, close } = window
    yield text.length / 8
    // Beyond the longest that a page can be, what was not seen cannot fit.
    const more = !isAll && text.length <= maxSize * ruler.longestUnit
    if (ends.length === 0) {
      if (more) continue
      return undefined
    }
    const sizeUpTo = ruler.beginnings(json, maxSize)
    const fits = function* (count: number) {
      return (yield* sizeUpTo(ends[count - 1]!, close)) <= maxSize
    }
    const count = yield* lastFitting(ends.length, countUpTo(ends, expected), fits)
    if (count === ends.length && more) continue
    return count === 0 ? undefined : { window, count }
  }
}

/** Whole items. */
export function itemsWindow(source: Items, text: string, isAll: boolean, dense: boolean): PageWindow {
  const { kind, form, count } = source
  const textEnds = itemEnds(source, text, isAll)
  const last = textEnds.at(-1)
  if (last === undefined) return NOTHING
  const whole = text.slice(0, last)
  if (kind === 'scalar') return { json: whole, close: '', ends: textEnds, textEnds }
  if (kind === 'text') {
    const json = JSON.stringify(valueOfItems(source, whole)).slice(0, -1)
    const ends = escapedLineEnds(json, 1)
    if (ends.length < textEnds.length) ends.push(json.length)
    return { json, close: '"', ends, textEnds }
  }
  const [open, close] = kind === 'list' ? ['[', ']'] : ['{', '}']
  if (count === 0) return { json: open, close, ends: [1], textEnds }
  const table = dense && kind === 'list' ? tableWindow(valueOfItems(source, whole)) : undefined
  if (table) return { ...table, textEnds }
  if (form === 'plain') return { json: open + whole, close, ends: textEnds.map(end => end + 1), textEnds }
  const json = stringifyJson(valueOfItems(source, whole)).slice(0, -1)
  return { json, close, ends: [...partEnds(json, 1, Number.POSITIVE_INFINITY), json.length], textEnds }
}

/** Rows of a table. */
function tableWindow(list: JsonValue): Omit<PageWindow, 'textEnds'> | undefined {
  if (!(list as JsonValue[]).every(isJsonObject)) return undefined
  const table = denseTable(list as JsonObject[])
  if (!table) return undefined
  const { columns, rows } = table
  let json = `{"columns":${stringifyJson(columns)},"rows":[`
  const ends = rows.map((row, at) => {
    json += (at === 0 ? '' : ',') + stringifyJson(row as JsonValue[])
    return json.length
  })
  return { json, close: ']}', ends, columns }
}

/** Characters of one item. */
export function sliceWindow(source: Items, text: string, isAll: boolean): PageWindow {
  const whole = isAll ? text : text.slice(0, wholeLength(source, text))
  const slice = source.kind === 'text' ? (valueOfItems(source, whole) as string) : whole
  const json = JSON.stringify(slice).slice(0, -1)
  const textEnds = isEscaped(source) ? escapedEnds(whole, 0) : characterEnds(whole)
  return { json, close: '"', ends: escapedEnds(json, 1), textEnds }
}

function isEscaped({ kind, form }: Items): boolean {
  return kind === 'text' && form === 'escaped'
}

function wholeLength(source: Items, text: string): number {
  return isEscaped(source) ? wholeToken(text, text.length) : wholeCharacter(text, text.length)
}

/** After each character, never within a surrogate pair. */
function characterEnds(text: string): number[] {
  const ends: number[] = []
  for (let at = 0; at < text.length; ends.push(at)) at += text.codePointAt(at)! > 0xffff ? 2 : 1
  return ends
}

/** The same in the text of a JSON string, from a position on: an escape is a character, and so is a pair of them. */
function escapedEnds(text: string, start: number): number[] {
  const ends: number[] = []
  for (let at = start; at < text.length; ends.push(at)) {
    if (text[at] !== '\\') at += text.codePointAt(at)! > 0xffff ? 2 : 1
    else if (text[at + 1] !== 'u') at += 2
    else at += ESCAPED_PAIR.test(text.slice(at, at + 12)) ? 12 : 6
  }
  return ends
}

const ESCAPED_PAIR = /^\\ud[89ab]..\\ud[c-f]../i

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle]! <= limit) low = middle + 1
    else high = middle
  }
  return low
}
