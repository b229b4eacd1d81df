import type { JsonObject, JsonValue } from '../core/json.ts'
import { type ColumnShape, kindOf } from '../values/column.ts'
import type { TableShape } from '../values/shape.ts'
import { fromStart } from './choose.ts'

/** Fields that say which record it is. */
const MOST_NAMES = 2
const LONGEST_NAME = 60
/** So much of all rows has a rare field or value at most. */
const RARE = 0.1
/** The part by which the fields that are shown move on from row to row. */
const GOLDEN = 0.618

/** Chooses which fields of a record say most of it, by what most records of its table have. */
export class TellingFields {
  readonly #rows: number
  readonly #columns: Map<string, { readonly column: ColumnShape; readonly at: number }>
  readonly #names: ReadonlySet<string>

  constructor({ rows, columns }: TableShape) {
    this.#rows = rows
    this.#columns = new Map(columns.map((column, at) => [column.name, { column, at }]))
    const naming = columns.filter(column => column.present === rows && tellsRowsApart(column))
    this.#names = new Set(naming.slice(0, MOST_NAMES).map(({ name }) => name))
  }

  /** Ascending indices of so many of the keys. @param row its position: neighbours show different fields of those that say little */
  choose(record: JsonObject, keys: readonly string[], row: number, count: number): readonly number[] {
    if (count >= keys.length) return fromStart(keys.length)
    const ranked = keys.map((key, index) => ({ index, rank: this.#rank(key, record[key]!, row) }))
    ranked.sort((a, b) => b.rank - a.rank || a.index - b.index)
    return ranked
      .slice(0, count)
      .map(({ index }) => index)
      .sort((a, b) => a - b)
  }

  #rank(key: string, cell: JsonValue, row: number): number {
    const known = this.#columns.get(key)
    if (this.#names.has(key)) return 5
    if (cell === null || cell === '' || (Array.isArray(cell) && cell.length === 0)) return 0
    if (!known) return 3
    const { column, at } = known
    const limit = Math.max(1, this.#rows * RARE)
    if (column.present <= limit || isRareKind(column, cell, limit)) return 4
    if (typeof cell !== 'object') {
      const found = column.isWholeCount
        ? column.values.find(({ value }) => value === String(cell))
        : undefined
      if (found && found.count <= limit && (column.values[0]?.count ?? 0) > limit) return 4
      if (found && 2 * found.count > this.#rows) return 1
      const isExtreme = [column.leastNumber, column.greatestNumber].some(extreme => extreme?.first === row)
      if (isExtreme) return 3
    }
    const columns = this.#columns.size
    const turn = Math.floor(((row * GOLDEN) % 1) * columns)
    return 2 + (1 - ((at - turn + columns) % columns) / columns) / 2
  }
}

function isRareKind({ kinds }: ColumnShape, cell: JsonValue, limit: number): boolean {
  const kind = kindOf(cell)
  return kinds.length > 1 && kinds.some(one => one.kind === kind && one.count <= limit)
}

function tellsRowsApart({ kinds, isWholeCount, values }: ColumnShape): boolean {
  const [kind] = kinds
  if (kinds.length !== 1 || !kind || kind.example.length > LONGEST_NAME) return false
  const isName = kind.kind === 'text' || kind.kind === 'integer' || kind.kind === 'numeric text'
  return isName && (!isWholeCount || values.every(({ count }) => count === 1))
}
