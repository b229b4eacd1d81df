import type { JsonValue } from '../core/json.ts'
import { paced, type Steps } from '../core/steps.ts'
import { type CountedTable, countTables, countText } from '../values/counted-tables.ts'
import type { TableShape } from '../values/shape.ts'
import { type Table, tablesOf } from '../values/tables.ts'
import type { TextRows } from '../values/text-table.ts'
import type { ShapedTable } from './shape.ts'
import type { Source } from './source.ts'

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
  const { tables, rows } = await countText(value)
  return { shaped: tables, shapes: new Map(), ...(rows ? { rows } : {}) }
}

function* shapeLists(tables: readonly Table[]): Steps<SourceTables> {
  const shaped = yield* countTables(tables)
  return { shaped, shapes: new Map(tables.map(({ of }, at) => [of, (shaped[at] as CountedTable).shape])) }
}
