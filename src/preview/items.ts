import { isJsonObject, type JsonValue } from '../core/json.ts'
import { partEnds } from '../core/json-parts.ts'
import { parseJson } from '../core/json-text.ts'
import { countLines, escapedLineEnds, lineStarts } from '../core/lines.ts'
import { done, type ReadingSteps } from '../core/steps.ts'

/**
 * What the pages of a value are made of: the items of a list, the entries of an object, the lines of a text. Positions are
 * those of the text that they stand in. A number, true, false or null is one item.
 */
export interface Items {
  readonly kind: 'list' | 'object' | 'text' | 'scalar'
  /**
   * How they stand in that text. `plain`: a text as it is, anything else as compact JSON. `spaced`: JSON that may have spaces
   * between its tokens. `escaped`: lines within a JSON string.
   */
  readonly form: 'plain' | 'spaced' | 'escaped'
  /** Where the first item begins, and where the last one ends. */
  readonly start: number
  readonly end: number
  readonly count: number
  /** The list, object or text itself, where that is in memory. */
  readonly value?: JsonValue
  slice(start: number, end: number): ReadingSteps<string>
  /** Where an item begins, from 0. `count` stands for the end. */
  itemStart(item: number): ReadingSteps<number>
}

/** The name of what a page of whole items holds. */
export type ItemsUnit = 'items' | 'entries' | 'lines'

const UNITS = { list: 'items', object: 'entries', text: 'lines', scalar: undefined } as const

export function unitOf(kind: Items['kind']): ItemsUnit | undefined {
  return UNITS[kind]
}

/** The value that some items are together. @param text of the items, from the first one to the last */
export function valueOfItems({ kind, form }: Pick<Items, 'kind' | 'form'>, text: string): JsonValue {
  if (kind === 'text') return form === 'escaped' ? (JSON.parse(`"${text}"`) as string) : text
  if (kind === 'scalar') return parseJson(text)
  return parseJson(kind === 'list' ? `[${text}]` : `{${text}}`)
}

/** Where items end in a text that begins with one. @param isAll the text goes to the end of the last one */
export function itemEnds(
  { kind, form }: Pick<Items, 'kind' | 'form'>,
  text: string,
  isAll: boolean,
): number[] {
  const ends =
    kind === 'scalar'
      ? []
      : kind !== 'text'
        ? partEnds(text, 0, Number.POSITIVE_INFINITY)
        : form === 'escaped'
          ? escapedLineEnds(text, 0)
          : lineEnds(text)
  if (isAll && ends.at(-1) !== text.length) ends.push(text.length)
  return ends
}

/** Behind each line break. */
function lineEnds(text: string): number[] {
  const ends: number[] = []
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) ends.push(at + 1)
  return ends
}

/** The items of a value in memory. @param json its compact JSON */
export function itemsOf(value: JsonValue, json: string): Items {
  const kind = kindOf(value)
  const text = typeof value === 'string' ? value : json
  const start = kind === 'list' || kind === 'object' ? 1 : 0
  const end = text.length - start
  let starts: readonly number[] | undefined
  return {
    kind,
    form: 'plain',
    start,
    end,
    count: countOf(value),
    value,
    slice: (from, to) => done(text.slice(from, Math.min(to, end))),
    *itemStart(item) {
      starts ??= kind === 'text' ? yield* lineStarts(text) : startsIn(text, start)
      return starts[item] ?? end
    },
  }
}

function kindOf(value: JsonValue): Items['kind'] {
  if (typeof value === 'string') return 'text'
  if (Array.isArray(value)) return 'list'
  return isJsonObject(value) ? 'object' : 'scalar'
}

function countOf(value: JsonValue): number {
  if (typeof value === 'string') return countLines(value)
  if (Array.isArray(value)) return value.length
  return isJsonObject(value) ? Object.keys(value).length : 1
}

function startsIn(json: string, start: number): number[] {
  return [start, ...partEnds(json, start, Number.POSITIVE_INFINITY).map(comma => comma + 1)]
}
