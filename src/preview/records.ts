import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'

/** A list of records as people look at it. */
export interface Records {
  readonly columns: readonly string[]
  /** A text says which rows are left out. */
  readonly rows: readonly (JsonObject | string)[]
}

/** The records that a value, or a preview of one, is a list of. Undefined: it is something else. */
export function recordsIn(value: JsonValue): Records | undefined {
  if (!Array.isArray(value)) return undefined
  const records = value.filter(isJsonObject)
  const isMark = (row: JsonValue) => typeof row === 'string' && row.startsWith('…(')
  const columns = [...new Set(records.flatMap(row => Object.keys(row)))]
  const areRecords = columns.length > 0 && value.every(row => isJsonObject(row) || isMark(row))
  return areRecords ? { columns, rows: value as (JsonObject | string)[] } : undefined
}
