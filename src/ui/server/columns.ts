import type { CellKind, ColumnShape } from '../../values/column.ts'
import type { CountedTable } from '../../values/counted-tables.ts'
import type { Column, Table } from '../api.ts'
import { defined } from './rows.ts'

/** A table with more columns is told by the first of them. */
const MOST_COLUMNS = 200
const MOST_VALUES = 8
const NUMERIC: ReadonlySet<CellKind> = new Set(['integer', 'number', 'numeric text'])

/** The tables of a value as the page shows them. */
export function toTables(tables: readonly CountedTable[]): Table[] {
  return tables.map(({ name, shape: { rows, columns } }) => ({
    name,
    rows,
    columns: columns.slice(0, MOST_COLUMNS).map(column => toColumn(column, rows)),
  }))
}

function toColumn(column: ColumnShape, rows: number): Column {
  const { name, kinds, present, values, isWholeCount, leastNumber, greatestNumber } = column
  const type = [...new Set(kinds.map(({ kind }) => kind))].join(' or ')
  // Where each value is there once, none is frequent.
  const isTelling = (values[0]?.count ?? 0) > 1
  // Of numbers among texts neither range is that of the column.
  const isMixed = new Set(kinds.map(({ kind }) => NUMERIC.has(kind))).size > 1
  return defined({
    name,
    type: type === '' ? undefined : type,
    distinct: isWholeCount ? values.length : undefined,
    missing: rows - present,
    least: isMixed ? undefined : (leastNumber?.number ?? column.leastText),
    greatest: isMixed ? undefined : (greatestNumber?.number ?? column.greatestText),
    frequent: isTelling
      ? values.slice(0, MOST_VALUES).map(({ value, count }) => ({ value, share: count / Math.max(1, rows) }))
      : undefined,
  })
}
