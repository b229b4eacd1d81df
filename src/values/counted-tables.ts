import type { JsonValue } from '../core/json.ts'
import { NumberList } from '../core/number-list.ts'
import { paced, type Steps } from '../core/steps.ts'
import { ShapeCounter, type TableShape } from './shape.ts'
import { rowsOf, type Table } from './tables.ts'
import type { TextPieces } from './text-pieces.ts'
import { PROBED_CHARACTERS, rowsOfText, type TextRows, type TextTable, textTableOf } from './text-table.ts'

/** A table of a value, and what its rows are like. Plain JSON, so that it can be stored beside the value. */
export interface CountedTable {
  readonly name: string
  /** JSON Pointer to the list or map. */
  readonly path: string
  readonly shape: TableShape
}

/** About what a cell costs, in characters tokenized. */
const WORK_PER_CELL = 4

/** Looks at all rows of some tables. @param plain makes JSON of a row, where it may be something else */
export function* countTables(
  tables: readonly Table[],
  plain: (row: JsonValue) => JsonValue = row => row,
): Steps<CountedTable[]> {
  const counted: CountedTable[] = []
  for (const table of tables) {
    const counter = new ShapeCounter()
    for (const row of rowsOf(table)) yield workOf(counter.add(plain(row)))
    counted.push({ name: table.name, path: table.path, shape: counter.result() })
  }
  return counted
}

/** The table that a text is, and where its rows are, if it is one. */
export async function countText(
  text: TextPieces,
): Promise<{ readonly tables: readonly CountedTable[]; readonly rows?: TextRows }> {
  const table = await textTableOf(text.beginning(PROBED_CHARACTERS + 1))
  return table ? paced(countTextRows(table, text)) : { tables: [] }
}

function* countTextRows(table: TextTable, text: TextPieces) {
  const { name, header } = table
  const counter = new ShapeCounter()
  const starts = new NumberList()
  let badLines = 0
  for (const { row, line, isBad } of rowsOfText(table, text.all())) {
    starts.push(line)
    if (isBad) badLines++
    yield workOf(counter.add(row))
  }
  const shape = { ...counter.result(), ...(badLines > 0 ? { badLines } : {}) }
  return { tables: [{ name, path: '', shape }], rows: { header, starts, outliers: shape.outliers } }
}

/** The work of looking at a row with so many cells. */
export function workOf(cells: number): number {
  return WORK_PER_CELL * (cells + 1)
}
