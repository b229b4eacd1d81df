import type { JsonValue } from '../core/json.ts'
import { paced, type Steps } from '../core/steps.ts'
import { type CountedTable, countTables, workOf } from '../values/counted-tables.ts'
import { ShapeCounter, type TableShape } from '../values/shape.ts'
import { type Table, tablesOf } from '../values/tables.ts'
import { type TextTable, textTableOf } from '../values/text-table.ts'
import type { ShapedTable } from './shape.ts'
import type { Source } from './source.ts'
import type { TextRows } from './text-outline.ts'

/** What there is to know of the tables of a value before a part of it is shown. */
export interface SourceTables {
  readonly shaped: readonly ShapedTable[]
  /** By the list, or the map of records. */
  readonly shapes: ReadonlyMap<JsonValue, TableShape>
  /** Where the value is a text whose lines are rows. */
  readonly rows?: TextRows
}

const known = new WeakMap<Source, Promise<SourceTables>>()

/** Looked at once for each value. */
export function tablesIn(source: Source): Promise<SourceTables> {
  const tables = known.get(source) ?? findTables(source.value)
  known.set(source, tables)
  return tables
}

async function findTables(value: JsonValue): Promise<SourceTables> {
  if (typeof value !== 'string') return paced(shapeLists(tablesOf(value)))
  const table = await textTableOf(value)
  return table ? paced(shapeText(table)) : { shaped: [], shapes: new Map() }
}

function* shapeLists(tables: readonly Table[]): Steps<SourceTables> {
  const shaped = yield* countTables(tables)
  return { shaped, shapes: new Map(tables.map(({ of }, at) => [of, (shaped[at] as CountedTable).shape])) }
}

function* shapeText({ name, header, rows }: TextTable): Steps<SourceTables> {
  const counter = new ShapeCounter()
  const starts: number[] = []
  for (const { row, line } of rows()) {
    starts.push(line)
    yield workOf(counter.add(row))
  }
  const shape = counter.result()
  return {
    shaped: [{ name, shape }],
    shapes: new Map(),
    rows: { header, starts, outliers: shape.outliers },
  }
}
