import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { paced } from '../../core/steps.ts'
import { wholeCharacter } from '../../core/text-cuts.ts'
import { takePart } from '../pointer.ts'
import { rowsOf } from '../tables.ts'
import {
  asJson,
  type ReadableTable,
  type ReadOptions,
  type ValueDocument,
  wholeDocument,
} from '../value-document.ts'
import { type DocumentTable, documentTables } from './document-tables.ts'
import type { SegmentReader } from './reader.ts'
import { batchCount, batchRows, readBatch } from './rows.ts'
import { type Container, jsonIn } from './segment-index.ts'

/** UTF-16 units of a chunk. */
const CHUNK = 128 * 1024

/** A list or an object in segments: all of the value, or a container of it. Only what is asked for is read. */
export function segmentDocument(reader: SegmentReader, root = 0): ValueDocument {
  let found: Promise<DocumentTable[]> | undefined
  const tables = () => {
    found ??= paced(documentTables(reader, root))
    return found
  }
  const tableOf = async ({ name, path }: ReadableTable) =>
    (await tables()).find(table => table.name === name && table.path === path)
  const rows: ValueDocument['rows'] = async function* (asked, options) {
    const table = await tableOf(asked)
    if (!table) return
    if (table.container === undefined) yield [...rowsOf(table)]
    else yield* containerRows(reader, table.container, options)
  }
  return {
    kind: 'json',
    ...textOf(reader, root),
    async tables() {
      return (await tables()).map(({ name, path, of, container }) => ({
        name,
        path,
        kind: isJsonObject(of) ? 'map' : 'list',
        rows:
          container === undefined ? Object.keys(of).length : (reader.index.containers[container]?.count ?? 0),
      }))
    },
    rows,
    async *rowsJson(asked, options) {
      const { of, container } = (await tableOf(asked)) ?? {}
      if (container === undefined || !Array.isArray(of)) yield* asJson(rows(asked, options))
      else yield* containerJson(reader, container, options)
    },
    part: async part => takePart({ value: await paced(reader.valueOf(root)) }, part),
  }
}

/** A text in segments. If it is JSON, its tables are those of that; else it is read whole for them, once. */
export function textDocument(reader: SegmentReader, root = 0): ValueDocument {
  const json = jsonIn(reader.index, root)
  const text = textOf(reader, root)
  let read: Promise<ValueDocument> | undefined
  const whole = () => {
    read ??= text.slice(0, text.length).then(wholeDocument)
    return read
  }
  const part: ValueDocument['part'] = async asked => (await whole()).part(asked)
  if (json !== undefined) return { ...segmentDocument(reader, json), kind: 'text', ...text, part }
  return {
    kind: 'text',
    ...text,
    tables: async () => (await whole()).tables(),
    async *rows(table, options) {
      yield* (await whole()).rows(table, options)
    },
    async *rowsJson(table, options) {
      yield* (await whole()).rowsJson(table, options)
    },
    part,
  }
}

function textOf(reader: SegmentReader, root: number): Pick<ValueDocument, 'length' | 'text' | 'slice'> {
  const { start, end } = reader.index.containers[root] as Container
  return {
    length: end - start,
    slice: (from, to) => paced(reader.slice(start + from, Math.min(start + to, end))),
    async *text({ signal } = {}) {
      for (let at = start; at < end; ) {
        signal?.throwIfAborted()
        const chunk = await paced(reader.slice(at, Math.min(at + CHUNK, end)))
        const length = at + chunk.length < end ? wholeCharacter(chunk, chunk.length) : chunk.length
        yield chunk.slice(0, length)
        at += length
      }
    },
  }
}

async function* containerRows(
  reader: SegmentReader,
  container: number,
  { signal }: ReadOptions = {},
): AsyncGenerator<JsonValue[], void> {
  for (let at = 0; at < batchCount(reader, container); at++) {
    signal?.throwIfAborted()
    yield batchRows(reader, container, await paced(readBatch(reader, container, at)))
  }
}

async function* containerJson(
  reader: SegmentReader,
  container: number,
  { signal }: ReadOptions = {},
): AsyncGenerator<string, void> {
  for (let at = 0; at < batchCount(reader, container); at++) {
    signal?.throwIfAborted()
    const { text } = await paced(readBatch(reader, container, at))
    yield `[${text}]`
  }
}
