import { isJsonObject, type JsonValue } from '../core/json.ts'
import { partEnds } from '../core/json-parts.ts'
import { parseJson } from '../core/json-text.ts'
import { countLines, lineStarts } from '../core/lines.ts'
import { done, type ReadingSteps } from '../core/steps.ts'

/**
 * What the pages of a value are made of: the items of a list, the entries of an object, the lines of a text. Positions are
 * those of the text that they stand in. A number, true, false or null is one item.
 */
export interface Items {
  readonly kind: 'list' | 'object' | 'text' | 'scalar'
  /** Where the first item begins, and where the last one ends. */
  readonly start: number
  readonly end: number
  readonly count: number
  /** They stand in a text that is JSON, which may have spaces between its tokens. */
  readonly isSpaced: boolean
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

/** The value of the page that holds the items of this text. */
export function valueOfItems(kind: Items['kind'], text: string): JsonValue {
  if (kind === 'text') return text
  if (kind === 'scalar') return parseJson(text)
  return parseJson(kind === 'list' ? `[${text}]` : `{${text}}`)
}

/** The items of a value in memory. */
export function itemsOf(value: JsonValue, json: string): Items {
  const kind = kindOf(value)
  const text = typeof value === 'string' ? value : json
  const bracket = kind === 'list' || kind === 'object' ? 1 : 0
  const start = bracket
  const end = text.length - bracket
  let starts: readonly number[] | undefined
  return {
    kind,
    start,
    end,
    count: countOf(value),
    isSpaced: false,
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
