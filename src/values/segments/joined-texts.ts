import type { JsonObject, JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { paced } from '../../core/steps.ts'
import { areRecords, blockTableNames, pathOfBlock, RECORDS_PATH, type TextBlock } from '../text-blocks.ts'
import type { TextPieces } from '../text-pieces.ts'
import type { ReadableTable, ReadOptions, ValueDocument } from '../value-document.ts'
import { wholeDocument } from './whole-document.ts'

/** A table of several texts, and how its rows are read. */
export interface JoinedTable extends ReadableTable {
  readonly content: number
  each(options?: ReadOptions): AsyncGenerator<readonly JsonValue[], void>
}

/** What is in several texts that are one value. */
export interface JoinedTexts {
  readonly tables: readonly JoinedTable[]
  /** Blocks that are objects: each is a row of its own. */
  readonly objects: ReadonlyArray<{ readonly name: string; readonly document: ValueDocument }>
  readonly blocks: readonly OpenBlock[]
}

export interface OpenBlock {
  readonly content: number
  readonly text: string
  readonly document: ValueDocument
  readonly tables: readonly ReadableTable[]
}

/** A larger object is no row among others. */
const LARGEST_RECORD = 128 * 1024

/** Opens the texts that a text is put together from, each as what it is: JSON, CSV, JSON lines. */
export async function openTexts(
  text: Pick<TextPieces, 'slice'>,
  blocks: readonly TextBlock[],
): Promise<JoinedTexts> {
  const open: OpenBlock[] = []
  for (const { content, start, end } of blocks) {
    const own = text.slice(start, end)
    const document = await wholeDocument(own)
    open.push({ content, text: own, document, tables: await document.tables() })
  }
  const objects = open.filter(isObject)
  const records = await recordsIn(objects)
  const others = records ? open.filter(block => !isObject(block)) : open
  const found = [
    ...(records ? [records] : []),
    ...others.flatMap(block => block.tables.map(table => tableOf(block, table))),
  ].sort((one, other) => one.content - other.content)
  const names = blockTableNames(found)
  const tables = names.map((name, at) => {
    const { isBlock: _, ...table } = found[at] as Found
    return { ...table, name }
  })
  return { tables, objects: records ? [] : nameObjects(objects), blocks: open }
}

type Found = JoinedTable & { readonly isBlock: boolean }

function tableOf({ content, document }: OpenBlock, table: ReadableTable): Found {
  const isBlock = table.path === ''
  const path = pathOfBlock({ content }) + table.path
  return { ...table, path, content, isBlock, each: options => document.rows(table, options) }
}

export function isObject({ document, text }: OpenBlock): boolean {
  return document.kind === 'json-text' && text.trimStart().startsWith('{')
}

/** The table that has an object of each block as its row. */
async function recordsIn(objects: readonly OpenBlock[]): Promise<Found | undefined> {
  const [first] = objects
  if (!first || objects.some(({ text }) => text.length > LARGEST_RECORD)) return undefined
  const rows = await paced(parseEach(objects))
  if (!areRecords(rows)) return undefined
  const about = { name: 'items', path: RECORDS_PATH, kind: 'list', rows: rows.length } as const
  const each = async function* ({ signal }: ReadOptions = {}) {
    signal?.throwIfAborted()
    yield rows
  }
  return { ...about, content: first.content, isBlock: true, each }
}

function* parseEach(objects: readonly OpenBlock[]) {
  const rows: JsonObject[] = []
  for (const { text } of objects) {
    rows.push(parseJson(text) as JsonObject)
    yield text.length / 2
  }
  return rows
}

/** The first object is `root`, as if it were alone. */
function nameObjects(objects: readonly OpenBlock[]): JoinedTexts['objects'] {
  return objects.map(({ content, document }, at) => ({
    name: at === 0 ? 'root' : `content_${content}_root`,
    document,
  }))
}

/** A document of several texts: with the tables of each, in the place of the one that all together might look like. */
export function documentOfTexts(
  document: ValueDocument,
  blocks: readonly TextBlock[] | undefined,
): ValueDocument {
  // Together they may be JSON: blank texts around one that is.
  if (!blocks || document.kind !== 'text') return document
  let opened: Promise<JoinedTexts> | undefined
  const texts = () => {
    opened ??= document.slice(0, document.length).then(text => openTexts(text, blocks))
    return opened
  }
  const rows: ValueDocument['rows'] = async function* (asked, options) {
    const table = (await texts()).tables.find(({ name }) => name === asked.name)
    if (table) yield* table.each(options)
  }
  return {
    ...document,
    blocks,
    async tables() {
      return (await texts()).tables.map(({ each: _, content: __, ...table }) => table)
    },
    rows,
    async *rowsJson(asked, options) {
      for await (const batch of rows(asked, options)) yield stringifyJson(batch)
    },
  }
}
