import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { pointerOf } from '../core/part.ts'
import { freeSqlName, isReservedTable } from './sql-names.ts'

/** A list inside a value, seen as rows. */
export interface Table {
  readonly name: string
  /** JSON Pointer to the list or map. */
  readonly path: string
  /** The list itself, or the map of records: its keys are the column `key`. */
  readonly of: JsonValue[] | JsonObject
}

/** Lists deeper than this are no tables of their own. */
const MOST_LEVELS = 6
export const MOST_TABLES = 100
/** Members of objects that are looked at on the way. */
export const MOST_MEMBERS = 10_000

/**
 * The tables of a value: a list is `items`; of an object, each list that is reached through objects alone, and each map of many
 * records of one shape, named after its key.
 */
export function tablesOf(value: JsonValue): Table[] {
  if (Array.isArray(value)) return [{ name: 'items', path: '', of: value }]
  if (!isJsonObject(value)) return []
  if (isRecordMap(value)) return [{ name: 'items', path: '', of: value }]
  const found: Found[] = []
  let members = 0
  const waiting: Found[] = [{ steps: [], of: value }]
  for (let at = waiting.shift(); at && found.length < MOST_TABLES; at = waiting.shift()) {
    if (Array.isArray(at.of)) continue
    for (const key of Object.keys(at.of)) {
      if (++members > MOST_MEMBERS) break
      const member = at.of[key] as JsonValue
      const steps = [...at.steps, key]
      if (Array.isArray(member)) found.push({ steps, of: member })
      else if (!isJsonObject(member)) continue
      else if (isRecordMap(member)) found.push({ steps, of: member })
      else if (steps.length < MOST_LEVELS) waiting.push({ steps, of: member })
    }
  }
  return named(found.slice(0, MOST_TABLES))
}

interface Found {
  readonly steps: readonly string[]
  readonly of: JsonValue[] | JsonObject
}

/** Two of one name are told apart by what they stand in. SQL does not tell upper and lower case apart. */
function named(found: readonly Found[]): Table[] {
  const counts = new Map<string, number>()
  for (const { steps } of found) {
    const name = lastOf(steps).toLowerCase()
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const taken = new Set<string>()
  return found.map(({ steps, of }) => {
    const own = lastOf(steps)
    const shared = (counts.get(own.toLowerCase()) ?? 0) > 1 && steps.length > 1
    const name = freeName(shared ? steps.slice(-2).join('_') : own, taken)
    return { name, path: pointerOf(steps), of }
  })
}

function freeName(key: string, taken: Set<string>): string {
  const wanted = key === '' ? 'list' : key
  return freeSqlName(wanted, taken, isReservedTable(wanted) ? 2 : 1)
}

function lastOf(steps: readonly string[]): string {
  return steps.at(-1) ?? ''
}

/** With fewer entries it is an object with fields. */
const ENOUGH_RECORDS = 8
const PROBED_RECORDS = 50
/** Keys of an object that are looked at, to tell whether it is a map, or a record of one. */
export const PROBED_KEYS = 200

/** Whether an object maps many keys to records of one shape. */
export function isRecordMap(value: JsonValue): value is JsonObject {
  if (!isJsonObject(value)) return false
  let records = 0
  let first: JsonObject = {}
  for (const key in value) {
    const record = value[key] as JsonValue
    if (!isJsonObject(record)) return false
    if (records === 0) first = record
    if (!sharesKeys(first, record)) return false
    if (++records === PROBED_RECORDS) return true
  }
  return records >= ENOUGH_RECORDS
}

/** Whether two records have at least half of their keys in common. */
export function sharesKeys(one: JsonObject, other: JsonObject): boolean {
  const [keys, others] = [firstKeys(one), firstKeys(other)]
  const shared = keys.filter(name => Object.hasOwn(other, name)).length
  return others.length > 0 && 2 * shared >= Math.max(keys.length, others.length)
}

function firstKeys(record: JsonObject): string[] {
  const keys: string[] = []
  for (const key in record) if (keys.push(key) === PROBED_KEYS) break
  return keys
}

/** The rows of a table, as `ShapeCounter` takes them. */
export function* rowsOf({ of }: Pick<Table, 'of'>): Iterable<JsonValue> {
  if (Array.isArray(of)) yield* of
  else for (const key of Object.keys(of)) yield keyedRow(key, of[key] as JsonObject)
}

/** A record of a map, with its key as the first column. A field of that name comes second. */
export function keyedRow(key: string, record: JsonObject): JsonObject {
  if (!Object.hasOwn(record, 'key')) return { key, ...record }
  const { key: own, ...fields } = record
  return { key, key_2: own as JsonValue, ...fields }
}
