import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { setMember } from '../../core/json-text.ts'
import { paced, type ReadingSteps } from '../../core/steps.ts'
import { documentTables } from '../../values/segments/document-tables.ts'
import { openTexts } from '../../values/segments/joined-texts.ts'
import type { SegmentReader } from '../../values/segments/reader.ts'
import { eachRow } from '../../values/segments/rows.ts'
import type { Container } from '../../values/segments/segment-index.ts'
import { readJsonText } from '../../values/segments/whole-document.ts'
import { isRecordMap, rowsOf } from '../../values/tables.ts'
import type { TextBlock } from '../../values/text-blocks.ts'
import { rowsOfText, textTableOf } from '../../values/text-table.ts'
import type { DocumentKind } from '../../values/value-document.ts'

/** A table on its way into SQLite: its rows, some at a time. */
export interface RowSource {
  readonly name: string
  each(take: (row: JsonValue) => void): Promise<void>
}

/** The tables of a value, from the text of it: `root` and `lines`, too, but not `columns`. */
export async function tablesOfDocument(
  kind: DocumentKind,
  pieces: string[],
  blocks?: readonly TextBlock[],
): Promise<RowSource[]> {
  if (kind !== 'text') return tablesOfJson(readJsonText(pieces))
  const text = pieces.join('')
  pieces.length = 0
  const tables = blocks ? await tablesOfTexts(text, blocks) : await tablesOfText(text)
  return [...tables, linesOf(text)]
}

/** Each text as what it is: they are tables side by side. */
async function tablesOfTexts(text: string, blocks: readonly TextBlock[]): Promise<RowSource[]> {
  const { tables, objects } = await openTexts(text, blocks)
  const rows = tables.map(
    ({ name, each }): RowSource => ({
      name,
      each: async take => {
        for await (const batch of each()) for (const row of batch) take(row)
      },
    }),
  )
  const roots = objects.map(
    ({ name, document }): RowSource => ({
      name,
      each: async take => {
        const json = await document.slice(0, document.length)
        take(await paced(rootRow(readJsonText([json]))))
      },
    }),
  )
  return [...rows, ...roots]
}

async function tablesOfText(text: string): Promise<RowSource[]> {
  const table = await textTableOf(text)
  if (!table) return []
  const each: RowSource['each'] = async take => {
    for (const { row } of rowsOfText(table, [text])) take(row)
  }
  return [{ name: table.name, each }]
}

function linesOf(text: string): RowSource {
  return {
    name: 'lines',
    each: async take => {
      let line = 0
      for (let start = 0; start < text.length; ) {
        const end = text.indexOf('\n', start)
        const stop = end < 0 ? text.length : end
        const content = text.slice(start, text[stop - 1] === '\r' && stop > start ? stop - 1 : stop)
        take({ line: ++line, text: content })
        start = stop + 1
      }
    },
  }
}

/** The rows of the value's lists, and the value itself as one row. Of a large value only what is being written is there as objects. */
export async function tablesOfJson(reader: SegmentReader): Promise<RowSource[]> {
  const root: RowSource = { name: 'root', each: async take => take(await paced(rootRow(reader))) }
  const [whole] = reader.index.containers
  if (!whole) return [root]
  const tables = await paced(documentTables(reader, 0))
  const sources = tables.map(({ name, of, container }): RowSource => {
    if (container !== undefined) return { name, each: take => paced(takeRows(reader, container, take)) }
    return {
      name,
      each: async take => {
        for (const row of rowsOf({ of })) take(row)
      },
    }
  })
  return whole.kind === 'list' ? sources : [...sources, root]
}

function* takeRows(
  reader: SegmentReader,
  container: number,
  take: (row: JsonValue) => void,
): ReadingSteps<void> {
  yield* eachRow(reader, container, row => {
    take(row)
    return 1
  })
}

/** Beyond it a list or a map stands in its table alone. */
const LARGEST_CELL = 32 * 1024 * 1024
/** A larger map is one cell of its row. */
const LARGEST_ROW = 128 * 1024

function* rootRow(reader: SegmentReader): ReadingSteps<JsonValue> {
  if (!reader.index.containers[0]) return yield* reader.value()
  const value = yield* cellOf(reader, 0)
  const isLarge = reader.length > LARGEST_ROW
  return isLarge && isJsonObject(value) && isRecordMap(value) ? { value } : value
}

function* cellOf(reader: SegmentReader, container: number): ReadingSteps<JsonValue> {
  const { kind, start, end } = reader.index.containers[container] as Container
  if (end - start <= LARGEST_CELL) return yield* reader.valueOf(container)
  if (kind !== 'object') return '…(too large for a cell: ask its own table)'
  const members: JsonObject = {}
  for (let number = 0; number < reader.runCount(container); number++) {
    const run = yield* reader.run(container, number)
    if ('child' in run) setMember(members, reader.keyOf(run.child), yield* cellOf(reader, run.child))
    else Object.assign(members, yield* reader.partsOf(container, run))
  }
  return members
}
