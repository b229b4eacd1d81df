import type { JsonObject, JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { lastFitting, paced, type Steps } from '../core/steps.ts'
import type { CountedTable } from '../values/counted-tables.ts'
import type { TableShape } from '../values/shape.ts'
import { tablesOf } from '../values/tables.ts'
import { DETAILS, type Detail } from './describe-column.ts'
import type { Ruler, SizeMode } from './measure.ts'
import { type ShapedColumn, shapedColumns, shapedRuns } from './shaped-columns.ts'
import { ELLIPSIS } from './truncate.ts'

/** A table of a value, and what its rows are like. */
export interface ShapedTable {
  readonly name: string
  readonly shape: TableShape
}

/** Tokens, and the part of the budget, that the shape takes at most. */
const LARGEST_SHAPE = 300
const SHAPE_SHARE = 3

/** The shape that an answer of a budget has room for, and its size. */
export async function shapeWithin(
  tables: readonly ShapedTable[],
  ruler: Ruler,
  { maxSize, sizeMode }: { readonly maxSize: number; readonly sizeMode: SizeMode },
): Promise<{ shape: JsonObject; size: number } | undefined> {
  const told = tables.filter(({ shape }) => shape.rows > 1)
  const largest = sizeMode === 'token' ? LARGEST_SHAPE : LARGEST_SHAPE * 4
  const limit = Math.floor(Math.min(largest, maxSize / SHAPE_SHARE))
  const shape = told.length > 0 ? await paced(describeShape(told, ruler, limit)) : undefined
  return shape && { shape, size: await paced(ruler.size(stringifyJson(shape))) }
}

/**
 * The tables as an answer tells them: `{"items":{"rows":35000,"columns":{"level":"text info 33210, warn 1754"}}}`. Columns that there is no
 * room to describe are named alone, then counted; where they are many, those that are alike stand as one. Undefined where not even that fits.
 */
export function* describeShape(
  tables: readonly ShapedTable[],
  ruler: Ruler,
  maxSize: number,
): Steps<JsonObject | undefined> {
  const fits = function* (shape: JsonObject) {
    return (yield* ruler.size(JSON.stringify(shape), maxSize)) <= maxSize
  }
  const each = tables.map(table => columnsOf(table, shapedColumns))
  const runs = tables.map(table => columnsOf(table, shapedRuns))
  for (const told of [each, runs]) {
    for (const detail of DETAILS) {
      const shape = written(told, {
        detail,
        described: Number.POSITIVE_INFINITY,
        named: Number.POSITIVE_INFINITY,
      })
      if (yield* fits(shape)) return shape
    }
  }
  const count = runs.reduce((sum, { columns }) => sum + columns.length, 0)
  const detail = DETAILS[DETAILS.length - 1] as Detail
  const named = yield* lastFitting(count, maxSize >> 2, named =>
    fits(written(runs, { detail, described: 0, named })),
  )
  // What room the names leave goes to the first columns.
  const described = yield* lastFitting(named, maxSize >> 4, described =>
    fits(written(runs, { detail, described, named })),
  )
  const shape = written(runs, { detail, described, named })
  if (yield* fits(shape)) return shape
  const counted = { [ELLIPSIS]: `(+${tables.length} tables)` }
  return tables.length > 1 && (yield* fits(counted)) ? counted : undefined
}

/** A table as its columns are told. */
interface ToldTable {
  readonly name: string
  /** How many rows it has, and lines that cannot be read. */
  readonly counts: JsonObject
  readonly columns: readonly ShapedColumn[]
  readonly moreColumns: number
}

function columnsOf(
  { name, shape }: ShapedTable,
  columns: (shape: TableShape) => readonly ShapedColumn[],
): ToldTable {
  const counts = { rows: shape.rows, ...(shape.badLines ? { bad_lines: shape.badLines } : {}) }
  return { name, counts, columns: columns(shape), moreColumns: shape.moreColumns ?? 0 }
}

/** Of how many columns, counted over all tables, how much is said. */
interface Extent {
  readonly detail: Detail
  readonly described: number
  readonly named: number
}

function written(tables: readonly ToldTable[], { detail, described, named }: Extent): JsonObject {
  let at = 0
  const entries = tables.map(({ name, counts, columns, moreColumns }): [string, JsonValue] => {
    const shown = Math.min(Math.max(described - at, 0), columns.length)
    const listed = Math.min(Math.max(named - at, 0), columns.length)
    at += columns.length
    const fields = columns.slice(0, shown).map(column => [column.name, column.describe(detail)])
    const rest = columns.slice(shown, listed).map(column => column.name)
    const left = columns.slice(listed).reduce((sum, column) => sum + column.count, moreColumns)
    if (left > 0) rest.push(`${ELLIPSIS}(+${left} columns)`)
    if (rest.length > 0) fields.push([ELLIPSIS, rest.join(', ')])
    return [
      name,
      fields.length === 0 ? counts : { ...counts, columns: Object.fromEntries(fields) as JsonObject },
    ]
  })
  return Object.fromEntries(entries)
}

/** The shapes of the tables that are in a value, or in a sample of it, by the list or the map. */
export function shapesOf(value: JsonValue, counted: readonly CountedTable[]): Map<JsonValue, TableShape> {
  const shapes = new Map<JsonValue, TableShape>()
  for (const { path, of } of tablesOf(value)) {
    const table = counted.find(one => one.path === path)
    if (table) shapes.set(of, table.shape)
  }
  return shapes
}
