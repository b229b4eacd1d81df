import { isJsonObject, type JsonValue } from '../core/json.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { paced, type Steps } from '../core/steps.ts'
import type { Fitted, Shrink } from './budget.ts'
import { denseTable } from './dense.ts'
import type { Layout } from './layout.ts'
import { EXACT_UP_TO, type Ruler } from './measure.ts'
import { layout, type PageRequest, SMALLEST_PAGE } from './paginate.ts'
import { Source } from './source.ts'

/** A list of records whose pages are rows of one table. */
export interface DenseList {
  readonly columns: readonly string[]
  /** What is paged. */
  readonly rows: Source
}

const known = new WeakMap<Source, DenseList | undefined>()

/** The list as a table; undefined if it is none, or so long that looking at all of it takes a while. */
export function denseListOf(source: Source): DenseList | undefined {
  if (!known.has(source)) known.set(source, findTable(source))
  return known.get(source)
}

function findTable({ value, json }: Source): DenseList | undefined {
  if (!Array.isArray(value) || json.length > EXACT_UP_TO) return undefined
  const table = denseTable(value)
  return table && { columns: table.columns, rows: new Source(table.rows as JsonValue[]) }
}

/** Two texts may have so many tokens more together than each by itself. */
const SEAM = 2

/** The pages of the table within the budget, which the columns of each page count against. Undefined: a row is too large for that. */
export async function layoutOfRows(
  { columns, rows }: DenseList,
  ruler: Ruler,
  request: PageRequest,
): Promise<Layout | undefined> {
  const around = await paced(ruler.size(stringifyJson({ columns, rows: [] }), request.maxSize))
  const maxSize = request.maxSize - around - SEAM
  if (maxSize < SMALLEST_PAGE) return undefined
  const pages = await layout(rows, ruler, { ...request, maxSize })
  return pages.unit?.name === 'items' ? pages : undefined
}

/** What is shown of a list of records is a table. */
export function shrinkDensely(shrink: Shrink): Shrink {
  return function* (room): Steps<string> {
    const json = yield* shrink(room)
    yield json.length / 4
    return densely(json)
  }
}

/** The JSON of the table that a list is, or the JSON as it is. */
export function densely(json: string): string {
  const table = json.startsWith('[{') ? denseTable(parseJson(json)) : undefined
  return table ? stringifyJson(table) : json
}

/** The JSON of a page, as a table where that saves much, or where there is no room for the records. */
export async function fitPage(
  value: JsonValue,
  ruler: Ruler,
  { dense, maxSize }: { readonly dense?: boolean; readonly maxSize: number },
): Promise<Fitted> {
  const plain = stringifyJson(value)
  const json = dense ? densely(plain) : plain
  const size = await paced(ruler.size(json))
  const table = dense && size > maxSize ? denseTable(value, 0) : undefined
  if (!table) return { json, size }
  const rows = stringifyJson(table)
  return { json: rows, size: await paced(ruler.size(rows)) }
}

/** @param of what is shown a part of: where that is a list, and an object is shown, it is a table */
export function shownOf(of: JsonValue, json: string): { preview: JsonValue; isDense?: true } {
  const preview = parseJson(json)
  return { preview, ...(Array.isArray(of) && isJsonObject(preview) ? { isDense: true } : {}) }
}
