import { ExactNumber } from '../core/exact-number.ts'
import { isJsonObject, type JsonValue } from '../core/json.ts'

/** What a cell may hold, as far as a reader of a table has to know. A text that is a number is told apart: CSV has no other. */
export type CellKind = 'boolean' | 'integer' | 'number' | 'numeric text' | 'text' | 'object' | 'list'

/** How often something was found, and in which row first, counted from 0. */
export type Found = { readonly count: number; readonly first: number }

/** What the values of one column are like. Plain JSON, so that it can be stored. */
export type ColumnShape = {
  readonly name: string
  /** Rows that have it; null counts as missing. */
  readonly present: number
  /** The first row without it. */
  readonly firstMissing?: number
  readonly firstPresent: number
  /** With an example of each kind. */
  readonly kinds: readonly (Found & { readonly kind: CellKind; readonly example: string })[]
  /** The most frequent values, most frequent first; all of them where `isWholeCount`. */
  readonly values: readonly (Found & { readonly value: string })[]
  readonly isWholeCount: boolean
  readonly leastNumber?: Extreme
  readonly greatestNumber?: Extreme
  readonly leastText?: string
  readonly greatestText?: string
  /** Of objects, and of objects in lists. */
  readonly keys?: readonly string[]
  /** Items of the longest list. */
  readonly mostItems?: number
}

type Extreme = { readonly number: number; readonly first: number }

/** Different values that are counted; beyond it those that were seen once are given up. */
const MOST_VALUES = 32
/** A longer text is no value that is counted, or compared. */
const LONGEST_VALUE = 80
const MOST_KEYS = 30
/** So many rows tell whether any values are frequent. */
const ENOUGH_ROWS = 2_000
const LONGEST_EXAMPLE = 40

/** Looks at the cells of one column, in bounded memory. */
export class ColumnCounter {
  #present = 0
  #firstMissing: number | undefined
  #firstPresent = 0
  readonly #kinds = new Map<CellKind, { count: number; first: number; example: string }>()
  #values: Map<string, { count: number; first: number }> | undefined = new Map()
  #isWholeCount = true
  #leastNumber: Extreme | undefined
  #greatestNumber: Extreme | undefined
  #leastText: string | undefined
  #greatestText: string | undefined
  readonly #keys = new Set<string>()
  #mostItems = 0

  constructor(readonly name: string) {}

  /** @param row counted from 0, ascending */
  add(cell: JsonValue, row: number): void {
    if (cell === null) return
    if (this.#present === 0) this.#firstPresent = row
    if (this.#present < row) this.#firstMissing ??= this.#present
    this.#present++
    const kind = kindOf(cell)
    this.#countKind(kind, cell, row)
    if (kind === 'object') this.#noteKeys(cell)
    else if (kind === 'list') this.#noteItems(cell as JsonValue[])
    else this.#noteScalar(kind, cell as string | number | boolean, row)
  }

  /** @param rows of the table */
  result(rows: number): ColumnShape {
    const missing = this.#firstMissing ?? (this.#present < rows ? this.#present : undefined)
    const values = [...(this.#values ?? [])].map(([value, found]) => ({ value, ...found }))
    values.sort((a, b) => b.count - a.count || a.first - b.first)
    return {
      name: this.name,
      present: this.#present,
      firstPresent: this.#firstPresent,
      kinds: [...this.#kinds].map(([kind, found]) => ({ kind, ...found })).sort((a, b) => b.count - a.count),
      values,
      isWholeCount: this.#isWholeCount && this.#values !== undefined,
      ...(missing === undefined ? {} : { firstMissing: missing }),
      ...(this.#leastNumber ? { leastNumber: this.#leastNumber } : {}),
      ...(this.#greatestNumber ? { greatestNumber: this.#greatestNumber } : {}),
      ...(this.#leastText === undefined ? {} : { leastText: this.#leastText }),
      ...(this.#greatestText === undefined ? {} : { greatestText: this.#greatestText }),
      ...(this.#keys.size > 0 ? { keys: [...this.#keys] } : {}),
      ...(this.#mostItems > 0 ? { mostItems: this.#mostItems } : {}),
    }
  }

  #countKind(kind: CellKind, cell: JsonValue, row: number): void {
    const found = this.#kinds.get(kind)
    if (found) found.count++
    else this.#kinds.set(kind, { count: 1, first: row, example: exampleOf(cell) })
  }

  #noteScalar(kind: CellKind, cell: string | number | boolean, row: number): void {
    const text = String(cell)
    if (kind === 'integer' || kind === 'number' || kind === 'numeric text')
      this.#noteNumber(Number(text), row)
    else if (kind === 'text' && text.length <= LONGEST_VALUE) {
      if (this.#leastText === undefined || text < this.#leastText) this.#leastText = text
      if (this.#greatestText === undefined || text > this.#greatestText) this.#greatestText = text
    }
    this.#countValue(text, row)
  }

  #noteNumber(number: number, row: number): void {
    if (!this.#leastNumber || number < this.#leastNumber.number) this.#leastNumber = { number, first: row }
    if (!this.#greatestNumber || number > this.#greatestNumber.number) {
      this.#greatestNumber = { number, first: row }
    }
  }

  #countValue(text: string, row: number): void {
    const values = this.#values
    if (!values) return
    const found = values.get(text)
    if (found) found.count++
    else if (text.length > LONGEST_VALUE) this.#isWholeCount = false
    else {
      if (values.size === MOST_VALUES) this.#makeRoom(values)
      if (values.size < MOST_VALUES) values.set(text, { count: 1, first: row })
    }
  }

  /** Values that come again and again stay. Where there are none, nothing is counted any more. */
  #makeRoom(values: Map<string, { count: number; first: number }>): void {
    this.#isWholeCount = false
    let most = 0
    for (const [value, { count }] of values) {
      most = Math.max(most, count)
      if (count === 1) values.delete(value)
    }
    if (values.size === MOST_VALUES) for (const found of values.values()) found.count--
    if (this.#present > ENOUGH_ROWS && most < this.#present / 50) this.#values = undefined
  }

  #noteKeys(cell: JsonValue): void {
    for (const key in cell as object) {
      if (this.#keys.size === MOST_KEYS) return
      this.#keys.add(key.slice(0, LONGEST_VALUE))
    }
  }

  #noteItems(list: readonly JsonValue[]): void {
    this.#mostItems = Math.max(this.#mostItems, list.length)
    if (isJsonObject(list[0])) this.#noteKeys(list[0])
  }
}

export function kindOf(cell: JsonValue): CellKind {
  switch (typeof cell) {
    case 'string':
      return isNumeric(cell) ? 'numeric text' : 'text'
    case 'number':
      return Number.isInteger(cell) ? 'integer' : 'number'
    case 'boolean':
      return 'boolean'
    default:
      if (cell instanceof ExactNumber) return /[.eE]/.test(cell.source) ? 'number' : 'integer'
      return Array.isArray(cell) ? 'list' : 'object'
  }
}

function isNumeric(text: string): boolean {
  return text.length < 25 && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)
}

function exampleOf(cell: JsonValue): string {
  return typeof cell === 'object' && !(cell instanceof ExactNumber)
    ? ''
    : String(cell).slice(0, LONGEST_EXAMPLE)
}
