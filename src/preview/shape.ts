import type { JsonObject, JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { lastFitting, paced, type Steps } from '../core/steps.ts'
import type { ColumnShape } from '../values/column.ts'
import type { TableShape } from '../values/shape.ts'
import type { Ruler } from './measure.ts'
import type { SizeMode } from './size.ts'
import { ELLIPSIS } from './truncate.ts'

/** A table of a value, and what its rows are like. */
export interface ShapedTable {
  readonly name: string
  readonly shape: TableShape
}

/** How much is said of each column, most first. */
const DETAILS = [
  { values: 8, characters: 40, keys: 12 },
  { values: 4, characters: 24, keys: 6 },
  { values: 2, characters: 16, keys: 3 },
  { values: 0, characters: 10, keys: 0 },
] as const

type Detail = (typeof DETAILS)[number]

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
 * room to describe are named alone, then counted. Undefined where not even that fits.
 */
export function* describeShape(
  tables: readonly ShapedTable[],
  ruler: Ruler,
  maxSize: number,
): Steps<JsonObject | undefined> {
  const fits = function* (shape: JsonObject) {
    return (yield* ruler.size(JSON.stringify(shape), maxSize)) <= maxSize
  }
  const columns = tables.reduce((sum, { shape }) => sum + shape.columns.length, 0)
  for (const detail of DETAILS) {
    const shape = written(tables, { detail, described: columns, named: columns })
    if (yield* fits(shape)) return shape
  }
  const detail = DETAILS[DETAILS.length - 1] as Detail
  const named = yield* lastFitting(columns, maxSize >> 2, named =>
    fits(written(tables, { detail, described: 0, named })),
  )
  // What room the names leave goes to the first columns.
  const described = yield* lastFitting(named, maxSize >> 4, described =>
    fits(written(tables, { detail, described, named })),
  )
  const shape = written(tables, { detail, described, named })
  if (yield* fits(shape)) return shape
  const counted = { [ELLIPSIS]: `(+${tables.length} tables)` }
  return tables.length > 1 && (yield* fits(counted)) ? counted : undefined
}

/** Of how many columns, counted over all tables, how much is said. */
interface Extent {
  readonly detail: Detail
  readonly described: number
  readonly named: number
}

function written(tables: readonly ShapedTable[], { detail, described, named }: Extent): JsonObject {
  let at = 0
  const entries = tables.map(({ name, shape }): [string, JsonValue] => {
    const { rows, columns, moreColumns = 0 } = shape
    const shown = Math.min(Math.max(described - at, 0), columns.length)
    const listed = Math.min(Math.max(named - at, 0), columns.length)
    at += columns.length
    const fields = columns.slice(0, shown).map(column => [column.name, describeColumn(column, rows, detail)])
    const rest = columns.slice(shown, listed).map(column => column.name)
    const left = columns.length - listed + moreColumns
    if (left > 0) rest.push(`${ELLIPSIS}(+${left} columns)`)
    if (rest.length > 0) fields.push([ELLIPSIS, rest.join(', ')])
    return [
      name,
      fields.length === 0 ? { rows } : { rows, columns: Object.fromEntries(fields) as JsonObject },
    ]
  })
  return Object.fromEntries(entries)
}

function describeColumn(column: ColumnShape, rows: number, detail: Detail): string {
  const { present, kinds } = column
  const [main, ...others] = kinds
  const content = main ? [describeMain(column, detail)] : ['null']
  for (const { kind, count, example } of main ? others : []) {
    if (areOneKind(kind, main?.kind)) continue
    content.push(`${kind} ${quoted(example, detail)} ${count}`)
  }
  return present < rows && present > 0 ? `${content.join(', ')}, in ${present}` : content.join(', ')
}

/** Integers among other numbers need no mention. */
function areOneKind(one: string, other: string | undefined): boolean {
  const numbers = ['integer', 'number']
  return numbers.includes(one) && other !== undefined && numbers.includes(other)
}

function describeMain(column: ColumnShape, detail: Detail): string {
  const main = column.kinds[0] as ColumnShape['kinds'][number]
  switch (main.kind) {
    case 'object':
      return `json {${keysOf(column, detail)}}`
    case 'list': {
      const keys = keysOf(column, detail)
      return `json [${keys === '' ? `up to ${column.mostItems ?? 0}` : `{${keys}}`}]`
    }
    default: {
      const said = detail.values > 0 ? (valuesOf(column, detail) ?? rangeOf(column, detail)) : ''
      return said === '' ? typeOf(column) : `${typeOf(column)} ${said}`
    }
  }
}

function typeOf({ kinds }: ColumnShape): string {
  const kind = kinds[0]?.kind
  if (kind === 'numeric text') return 'text of numbers'
  return kind === 'integer' && kinds.some(other => other.kind === 'number') ? 'number' : String(kind)
}

function keysOf({ keys = [] }: ColumnShape, detail: Detail): string {
  const shown = keys.slice(0, detail.keys)
  const more = keys.length - shown.length
  if (shown.length === 0) return keys.length === 0 ? '' : ELLIPSIS
  return [...shown, ...(more > 0 ? [`${ELLIPSIS}(+${more})`] : [])].join(', ')
}

/** Values that come again and again, with how often. Undefined where hardly any does. */
function valuesOf(column: ColumnShape, detail: Detail): string | undefined {
  const { values, isWholeCount, present, leastNumber } = column
  const [most] = values
  if (!most || (leastNumber && !(isWholeCount && values.length <= detail.values))) return undefined
  if (values.length === 1 && isWholeCount && most.count === present) return quoted(most.value, detail)
  // Of a list of names that differ, no value says anything.
  const middle = values[values.length >> 1]?.count ?? 0
  const tells = isWholeCount
    ? values.length <= detail.values || most.count >= 2 * middle + 1
    : most.count >= present / 10
  if (!tells) return undefined
  const shown = isWholeCount ? values : values.filter(({ count }) => count >= present / 100)
  const odd = isWholeCount && values.length > detail.values ? values.slice(-1) : []
  const first = shown.slice(0, detail.values - odd.length)
  if (most.count === 1) return values.map(({ value }) => quoted(value, detail)).join(', ')
  // Two numbers side by side would say nothing.
  const times = leastNumber ? '×' : isWholeCount ? '' : '~'
  const listed = [...first, ...odd].map(({ value, count }) => `${quoted(value, detail)} ${times}${count}`)
  const more = values.length - first.length - odd.length
  if (!isWholeCount) return `${listed.join(', ')}, ${ELLIPSIS}`
  if (more > 0) listed.splice(first.length, 0, `${ELLIPSIS}(+${more} values)`)
  return listed.join(', ')
}

function rangeOf(column: ColumnShape, detail: Detail): string {
  const { leastNumber, greatestNumber, leastText, greatestText, kinds } = column
  if (kinds[0]?.kind === 'text') {
    if (leastText === undefined || greatestText === undefined) return ''
    return `${quoted(leastText, detail)} ${ELLIPSIS} ${quoted(greatestText, detail)}`
  }
  return leastNumber && greatestNumber ? `${leastNumber.number} ${ELLIPSIS} ${greatestNumber.number}` : ''
}

function quoted(value: string, { characters }: Detail): string {
  const line = value.replaceAll(/\s+/g, ' ')
  return line.length <= characters
    ? line
    : `${Array.from(line.slice(0, characters)).join('').trimEnd()}${ELLIPSIS}`
}
