import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { paced, turn } from '../../core/steps.ts'
import { wholeCharacter } from '../../core/text-cuts.ts'
import { rowsOf } from '../tables.ts'
import { PROBED_CHARACTERS, type TextRow, type TextTable, textTableOf } from '../text-table.ts'
import type { ReadableTable, ReadOptions, ValueDocument } from '../value-document.ts'
import { type DocumentTable, documentTables } from './document-tables.ts'
import { itemsOf } from './items.ts'
import type { SegmentReader } from './reader.ts'
import { rowsIn } from './rows.ts'
import { type Container, jsonIn, type SegmentIndex, shifted } from './segment-index.ts'

/** UTF-16 units of a chunk. */
const CHUNK = 128 * 1024
const ROWS_PER_BATCH = 500

/** A value in segments: all of it, or a container of it. Only what is asked for is read. */
export function segmentDocument(reader: SegmentReader, root = 0): ValueDocument {
  const text = textOf(reader, root)
  const container = reader.index.containers[root]
  if (!container) return { kind: 'json', ...text, containers: [], ...NOTHING }
  const json = container.kind === 'text' ? jsonIn(reader.index, root) : root
  if (json !== undefined) {
    const kind = json === root ? 'json' : 'json-text'
    return {
      kind,
      ...text,
      containers: containersWithin(reader.index, json, container.start),
      ...contentOf(reader, json),
    }
  }
  return { kind: 'text', ...text, ...NOTHING, ...textRows(text) }
}

/** A container and what is in it, as if the text began at a position. */
function containersWithin({ containers }: SegmentIndex, root: number, start: number): Container[] {
  const { within: _, ...outermost } = containers[root] as Container
  const found = shifted([outermost], { containers: 0, characters: -start })
  const numbers = new Map([[root, 0]])
  for (let at = root + 1; at < containers.length; at++) {
    const container = containers[at] as Container
    const outer = container.within?.container ?? root
    const number = numbers.get(outer)
    if (number === undefined || container.within === undefined) continue
    numbers.set(at, found.length)
    found.push(...shifted([container], { containers: number - outer, characters: -start }))
  }
  return found
}

type Content = Pick<ValueDocument, 'tables' | 'rows' | 'rowsJson' | 'items'>

/** A number, true, false or null. */
const NOTHING: Content = {
  tables: async () => [],
  async *rows() {},
  async *rowsJson() {},
  async *items() {},
}

function contentOf(reader: SegmentReader, root: number): Content {
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
    items: options => itemsOf(reader, root, options),
  }
}

function textOf(
  reader: SegmentReader,
  root: number,
): Pick<ValueDocument, 'length' | 'text' | 'utf8' | 'slice'> {
  const { start, end } = reader.index.containers[root] ?? { start: 0, end: reader.length }
  const { loadUtf8 } = reader
  return {
    ...(loadUtf8 && start === 0 && end === reader.length
      ? { utf8: options => utf8Of(reader, loadUtf8, options) }
      : {}),
    length: end - start,
    slice: (from, to) => paced(reader.slice(start + from, Math.min(start + to, end))),
    async *text({ signal } = {}) {
      for (let at = start; at < end; ) {
        signal?.throwIfAborted()
        const chunk = await paced(reader.slice(at, Math.min(at + CHUNK, reader.segmentEnd(at), end)))
        const length = at + chunk.length < end ? wholeCharacter(chunk, chunk.length) : chunk.length
        yield chunk.slice(0, length)
        at += length
      }
    },
  }
}

async function* utf8Of(
  { index }: SegmentReader,
  load: (segment: number) => Promise<Uint8Array>,
  { signal }: ReadOptions = {},
): AsyncGenerator<Uint8Array, void> {
  for (const segment of index.segments.keys()) {
    signal?.throwIfAborted()
    yield await load(segment)
  }
}

async function* containerRows(
  reader: SegmentReader,
  container: number,
  { signal }: ReadOptions = {},
): AsyncGenerator<JsonValue[], void> {
  for (let number = 0; number < reader.runCount(container); number++) {
    signal?.throwIfAborted()
    const run = await paced(reader.run(container, number))
    yield await paced(rowsIn(reader, container, run))
  }
}

async function* containerJson(
  reader: SegmentReader,
  container: number,
  { signal }: ReadOptions = {},
): AsyncGenerator<string, void> {
  for (let number = 0; number < reader.runCount(container); number++) {
    signal?.throwIfAborted()
    const run = await paced(reader.run(container, number))
    if ('text' in run) yield `[${run.text}]`
    else {
      const { start, end } = reader.index.containers[run.child] as Container
      yield `[${await paced(reader.slice(start, end))}]`
    }
  }
}

/** Batches of rows as JSON. */
async function* asJson(rows: AsyncIterable<readonly JsonValue[]>): AsyncGenerator<string, void> {
  for await (const batch of rows) yield stringifyJson(batch)
}

/** The table that the lines of a text are, if they are one. */
function textRows(
  document: Pick<ValueDocument, 'slice' | 'text'>,
): Pick<Content, 'tables' | 'rows' | 'rowsJson'> {
  let found: Promise<TextTable | undefined> | undefined
  const table = () => {
    found ??= document.slice(0, PROBED_CHARACTERS + 1).then(beginning => textTableOf(beginning))
    return found
  }
  const rows: ValueDocument['rows'] = async function* (_, options) {
    const reader = (await table())?.reader()
    if (!reader) return
    for await (const piece of document.text(options)) yield* batches(reader.push(piece), options)
    yield* batches(reader.end(), options)
  }
  return {
    async tables() {
      const { name } = (await table()) ?? {}
      return name === undefined ? [] : [{ name, path: '', kind: name === 'rows' ? 'csv' : 'jsonl' }]
    },
    rows,
    rowsJson: (asked, options) => asJson(rows(asked, options)),
  }
}

async function* batches(
  rows: Iterable<TextRow>,
  { signal }: ReadOptions = {},
): AsyncGenerator<readonly JsonValue[], void> {
  let batch: JsonValue[] = []
  for (const { row } of rows) {
    if (batch.push(row) < ROWS_PER_BATCH) continue
    signal?.throwIfAborted()
    yield batch
    batch = []
    await turn()
  }
  signal?.throwIfAborted()
  if (batch.length > 0) yield batch
}
