import { isJsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { Part } from '../core/part.ts'
import { wholeCharacter } from '../core/text-cuts.ts'
import { type TextTable, textTableOf } from '../values/text-table.ts'
import { parsedJson } from './equal-json.ts'
import { takePart } from './pointer.ts'
import { rowsOf, tablesOf } from './tables.ts'

export interface ReadOptions {
  /** Ends the reading with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** A table of a value, without `root`, `lines` and `columns`, which every value has. */
export interface ReadableTable {
  readonly name: string
  /** JSON Pointer to the list or the map. */
  readonly path: string
  readonly kind: 'list' | 'map' | 'csv' | 'jsonl'
  /** How many rows there are, where that is known. */
  readonly rows?: number
}

/**
 * The value of an entry as it is shown, read piece by piece: a result of a tool of MCP without its envelope. Values of any size read
 * alike; those that are small are held in memory.
 *
 * @throws NotFound, UnreadableValue while it is read
 */
export interface ValueDocument {
  /** `text`: a text, also one that is JSON. */
  readonly kind: 'json' | 'text'
  /** UTF-16 units of `text()`. */
  readonly length: number
  /** All of it in order, in chunks that part no character: a text as it is, anything else as compact JSON. */
  text(options?: ReadOptions): AsyncGenerator<string, void>
  slice(start: number, end: number): Promise<string>
  /** A text that is JSON is taken as that JSON. */
  tables(): Promise<readonly ReadableTable[]>
  /** The rows of one of its tables in order, in batches: the items of a list, the records of a map with their `key`. */
  rows(table: ReadableTable, options?: ReadOptions): AsyncGenerator<readonly JsonValue[], void>
  /** The same, as JSON of lists. */
  rowsJson(table: ReadableTable, options?: ReadOptions): AsyncGenerator<string, void>
  /** @throws InvalidArgument where there is no such part */
  part(part: Part): Promise<JsonValue>
}

/** UTF-16 units of a chunk. */
const CHUNK = 128 * 1024
const ROWS_PER_BATCH = 500

/** A value that is in memory. */
export function wholeDocument(value: JsonValue): ValueDocument {
  const text = typeof value === 'string' ? value : stringifyJson(value)
  let found: Promise<FoundTables> | undefined
  const tables = () => {
    found ??= findTables(value)
    return found
  }
  const rows: ValueDocument['rows'] = async function* ({ name, path }, options) {
    const table = (await tables()).find(({ about }) => about.name === name && about.path === path)
    yield* batches(table?.rows() ?? [], options)
  }
  return {
    kind: typeof value === 'string' ? 'text' : 'json',
    length: text.length,
    async *text({ signal } = {}) {
      for (let start = 0, end = 0; start < text.length; start = end) {
        signal?.throwIfAborted()
        end = start + CHUNK < text.length ? wholeCharacter(text, start + CHUNK) : text.length
        yield text.slice(start, end)
      }
    },
    slice: async (start, end) => text.slice(start, end),
    tables: async () => (await tables()).map(({ about }) => about),
    rows,
    rowsJson: (table, options) => asJson(rows(table, options)),
    part: async part => takePart({ value }, part),
  }
}

/** Batches of rows as JSON. */
export async function* asJson(rows: AsyncIterable<readonly JsonValue[]>): AsyncGenerator<string, void> {
  for await (const batch of rows) yield stringifyJson(batch)
}

interface FoundTable {
  readonly about: ReadableTable
  readonly rows: () => Iterable<JsonValue>
}

type FoundTables = readonly FoundTable[]

async function findTables(value: JsonValue): Promise<FoundTables> {
  if (typeof value !== 'string') return tablesOfJson(value)
  const parsed = parsedJson(value)
  if (typeof parsed === 'object' && parsed !== null) return tablesOfJson(parsed)
  const table = await textTableOf(value)
  return table ? [ofText(table)] : []
}

function tablesOfJson(value: JsonValue): FoundTables {
  return tablesOf(value).map(({ name, path, of }) => ({
    about: {
      name,
      path,
      kind: isJsonObject(of) ? 'map' : 'list',
      rows: Array.isArray(of) ? of.length : Object.keys(of).length,
    },
    rows: () => rowsOf({ of }),
  }))
}

function ofText(table: TextTable): FoundTable {
  const kind = table.name === 'rows' ? 'csv' : 'jsonl'
  return { about: { name: table.name, path: '', kind }, rows: () => rowsOfText(table) }
}

function* rowsOfText(table: TextTable): Iterable<JsonValue> {
  for (const { row } of table.rows()) yield row
}

async function* batches(
  rows: Iterable<JsonValue>,
  { signal }: ReadOptions = {},
): AsyncGenerator<readonly JsonValue[], void> {
  let batch: JsonValue[] = []
  for (const row of rows) {
    if (batch.push(row) < ROWS_PER_BATCH) continue
    signal?.throwIfAborted()
    yield batch
    batch = []
    await new Promise(resolve => setImmediate(resolve))
  }
  signal?.throwIfAborted()
  if (batch.length > 0) yield batch
}
