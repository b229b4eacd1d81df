import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { ELLIPSIS } from './truncate.ts'

/**
 * A list of records with the names of their fields written once. A row is the values of one record; a text in the place of a row is the
 * mark of records that are left out.
 */
export interface DenseTable {
  readonly columns: readonly string[]
  readonly rows: readonly (JsonValue[] | string)[]
}

/** The cell of a field that the record does not have; `null` is a value. */
export const ABSENT = `${ELLIPSIS}(absent)`

/** A table that saves fewer characters is not worth its other form: about a third as many tokens. */
const LEAST_SAVED = 200
const MARK = `${ELLIPSIS}(`

interface DenseOptions {
  /** Characters. */
  readonly leastSaved?: number
  /** The columns of a longer list. @defaultValue those of the records */
  readonly columns?: readonly string[]
}

/**
 * The table that a list of records is: `recordsOf` gives exactly this list back. Undefined: it is no list of records with the same
 * fields, two or more, in the same order, or it would save less than `leastSaved` characters.
 */
export function denseTable(
  list: JsonValue | undefined,
  { leastSaved = LEAST_SAVED, columns: given }: DenseOptions = {},
): DenseTable | undefined {
  if (!Array.isArray(list) || !list.every(isRecordOrMark)) return undefined
  const records = list.filter(isJsonObject)
  const columns = given ?? widest(records)
  if (columns.length < 2 || columns.some(name => name.startsWith(ELLIPSIS))) return undefined
  const rows: Array<JsonValue[] | string> = []
  for (const item of list) {
    const row = isJsonObject(item) ? rowOf(item, columns) : (item as string)
    if (row === undefined) return undefined
    rows.push(row)
  }
  return savedBy(columns, rows) < leastSaved ? undefined : { columns, rows }
}

/** The list that a table was made of. */
export function recordsOf({ columns, rows }: DenseTable): JsonValue[] {
  return rows.map(row => {
    if (typeof row === 'string') return row
    const fields = columns.map((name, at): [string, JsonValue] => [name, row[at] as JsonValue])
    return Object.fromEntries(fields.filter(([, value]) => value !== ABSENT))
  })
}

function isRecordOrMark(item: JsonValue): boolean {
  return typeof item === 'string' ? item.startsWith(MARK) : isJsonObject(item)
}

/** The fields of the record that has the most. */
function widest(records: readonly JsonObject[]): string[] {
  let most: string[] = []
  for (const record of records) {
    const names = Object.keys(record)
    if (names.length > most.length) most = names
  }
  return most
}

/** Undefined: the record's fields are no part of the columns in their order, or it has the mark as a value. */
function rowOf(record: JsonObject, columns: readonly string[]): JsonValue[] | undefined {
  const names = Object.keys(record)
  let next = 0
  const row = columns.map(column => {
    if (names[next] !== column) return ABSENT
    next++
    return record[column] as JsonValue
  })
  const absent = columns.length - names.length
  const isWhole = next === names.length && row.filter(cell => cell === ABSENT).length === absent
  return isWhole ? row : undefined
}

/** Characters that the names take which are no longer repeated, without what the table takes instead. */
function savedBy(columns: readonly string[], rows: DenseTable['rows']): number {
  const names = columns.map(column => JSON.stringify(column).length + 1)
  const header = names.reduce((sum, length) => sum + length, 0) + '"columns":[],"rows":'.length
  let saved = -header
  for (const row of rows) {
    if (typeof row === 'string') continue
    for (const [at, cell] of row.entries()) saved += cell === ABSENT ? -ABSENT.length - 3 : names[at]!
  }
  return saved
}
