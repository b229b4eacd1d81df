import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { paced } from '../../core/steps.ts'
import { takePart } from '../pointer.ts'
import { rowsOf } from '../tables.ts'
import { asJson, type ReadableTable, type ReadOptions, type ValueDocument } from '../value-document.ts'
import { type DocumentTable, documentTables } from './document-tables.ts'
import type { SegmentReader } from './reader.ts'
import { batchCount, batchRows, readBatch } from './rows.ts'
import { wholeCharacter } from './segmenter.ts'

/** UTF-16 units of a chunk. */
const CHUNK = 128 * 1024

/** A list or an object in segments: only those that are asked for are read. */
export function segmentDocument(reader: SegmentReader): ValueDocument {
  const root = reader.index.containers[0]
  let found: Promise<DocumentTable[]> | undefined
  const tables = () => {
    found ??= paced(documentTables(reader, 0))
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
    kind: root?.kind === 'text' ? 'text' : 'json',
    length: reader.length,
    text: options => chunks(reader, options),
    slice: (start, end) => paced(reader.slice(start, end)),
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
    part: async part => takePart({ value: await paced(reader.value()) }, part),
  }
}

async function* chunks(reader: SegmentReader, { signal }: ReadOptions = {}): AsyncGenerator<string, void> {
  for (let start = 0; start < reader.length; ) {
    signal?.throwIfAborted()
    const chunk = await paced(reader.slice(start, start + CHUNK))
    const end = start + chunk.length < reader.length ? wholeCharacter(chunk, chunk.length) : chunk.length
    yield chunk.slice(0, end)
    start += end
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
