import { isJsonObject, type JsonValue } from '../core/json.ts'
import { ColumnCounter, type ColumnShape } from './column.ts'

/** What the rows of a table are like. Plain JSON, so that it can be stored beside a value. */
export type TableShape = {
  readonly rows: number
  readonly columns: readonly ColumnShape[]
  /** Columns beyond those that were looked at. */
  readonly moreColumns?: number
  /** Lines of JSON lines that cannot be read: they are rows without a value. */
  readonly badLines?: number
  /** Rows that are unlike most others, the oddest first; counted from 0. */
  readonly outliers: readonly number[]
}

/** Columns that are looked at, and of which at least the names are counted. */
const MOST_COLUMNS = 2_000
const MOST_NAMES = 20_000
const LONGEST_NAME = 200
/** Of one row: they are looked at in one go. */
const MOST_CELLS = 20_000

/**
 * The shape of a table, row by row, in one pass and bounded memory. What a row is follows the tables of a value: the fields of a
 * record, `c1, c2, …` of a list, and `value` of anything else.
 */
export class ShapeCounter {
  #rows = 0
  readonly #columns = new Map<string, ColumnCounter>()
  readonly #more = new Set<string>()

  /** Says how many cells it looked at. */
  add(row: JsonValue): number {
    const at = this.#rows++
    let cells = 0
    const look = (name: string, cell: JsonValue) => {
      cells++
      this.#column(name)?.add(cell, at)
    }
    if (Array.isArray(row)) {
      for (let index = 0; index < row.length && cells < MOST_CELLS; index++) {
        look(`c${index + 1}`, row[index] as JsonValue)
      }
    } else if (isJsonObject(row)) {
      for (const name in row) {
        if (cells === MOST_CELLS) break
        look(name, row[name] as JsonValue)
      }
    } else if (row !== null) look('value', row)
    return cells
  }

  result(): TableShape {
    // As in SQL: rows without any value have a column, too.
    if (this.#rows > 0 && this.#columns.size === 0) this.#column('value')
    const columns = [...this.#columns.values()].map(column => column.result(this.#rows))
    return {
      rows: this.#rows,
      columns,
      ...(this.#more.size > 0 ? { moreColumns: this.#more.size } : {}),
      outliers: outliersOf(columns, this.#rows),
    }
  }

  #column(name: string): ColumnCounter | undefined {
    const known = this.#columns.get(name)
    if (known) return known
    if (this.#columns.size === MOST_COLUMNS || name.length > LONGEST_NAME) {
      if (this.#more.size < MOST_NAMES) this.#more.add(name.slice(0, LONGEST_NAME))
      return undefined
    }
    const column = new ColumnCounter(name)
    this.#columns.set(name, column)
    return column
  }
}

/** With fewer rows nothing is rare. */
const ENOUGH_ROWS = 10
/** So much of all rows is rare at most. */
const RARE = 0.02
const MOST_OUTLIERS = 16

/** Rows with a value, a kind of value or a missing field that most others have not. */
function outliersOf(columns: readonly ColumnShape[], rows: number): number[] {
  if (rows < ENOUGH_ROWS) return []
  const limit = Math.max(1, Math.floor(rows * RARE))
  const found: { row: number; count: number }[] = []
  const note = (count: number, row: number | undefined) => {
    if (row !== undefined && count > 0 && count <= limit) found.push({ row, count })
  }
  for (const column of columns) {
    note(rows - column.present, column.firstMissing)
    note(column.present, column.firstPresent)
    for (const { count, first } of column.kinds) if (column.kinds.length > 1) note(count, first)
    const [most] = column.values
    // Where each value is there once or twice, none of them is rare.
    const hasFrequent = most !== undefined && most.count > limit && most.count > 2
    if (column.isWholeCount && hasFrequent) for (const { count, first } of column.values) note(count, first)
  }
  found.sort((a, b) => a.count - b.count || a.row - b.row)
  const extremes = columns.flatMap(({ leastNumber, greatestNumber }) => [
    greatestNumber?.first,
    leastNumber?.first,
  ])
  const ordered = new Set([...found.map(({ row }) => row), ...extremes.filter(row => row !== undefined)])
  return [...ordered].slice(0, MOST_OUTLIERS)
}
