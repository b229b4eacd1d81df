import { isJsonObject, type JsonValue } from '../core/json.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { paced, type Steps } from '../core/steps.ts'
import type { Fitted, Shrink } from './budget.ts'
import { denseTable } from './dense.ts'
import type { Ruler } from './measure.ts'

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

interface PageBudget {
  readonly dense?: boolean
  readonly maxSize: number
  /** Columns of a table that the page fits its budget as. */
  readonly columns?: readonly string[]
}

/** The JSON of a page: as a table where that saves much, or where there is no room for the records. */
export async function fitPage(
  value: JsonValue,
  ruler: Ruler,
  { dense, maxSize, columns }: PageBudget,
): Promise<Fitted> {
  const plain = stringifyJson(value)
  const json = dense ? densely(plain) : plain
  const size = await paced(ruler.size(json))
  if (!dense || size <= maxSize) return { json, size }
  const table = denseTable(value, { leastSaved: 0, ...(columns ? { columns } : {}) })
  if (!table) return { json, size }
  const rows = stringifyJson(table)
  return { json: rows, size: await paced(ruler.size(rows)) }
}

/** @param of what is shown a part of: where that is a list, and an object is shown, it is a table */
export function shownOf(of: JsonValue, json: string): { preview: JsonValue; isDense?: true } {
  const preview = parseJson(json)
  return { preview, ...(Array.isArray(of) && isJsonObject(preview) ? { isDense: true } : {}) }
}
