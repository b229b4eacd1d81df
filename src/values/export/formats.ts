import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { partEnds } from '../../core/json-parts.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { paced } from '../../core/steps.ts'
import { isJson, mayBeginJson } from '../edit/json-check.ts'
import { RECORDS_PATH } from '../text-blocks.ts'
import type { ReadableTable, ReadOptions, ValueDocument } from '../value-document.ts'

export const EXPORT_FORMATS = ['json', 'jsonl', 'csv', 'text', 'original'] as const

/** `original`: the text or the bytes as they came. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** The content of a file, in chunks, and how many rows have been written so far. */
export interface Formatted {
  readonly content: AsyncIterable<string>
  /** Absent: the format has no rows. */
  readonly rows?: () => number
  readonly mimeType: string
}

/**
 * A value in a format.
 * @throws InvalidArgument where it has no table for rows, or several
 */
export async function formatted(
  document: ValueDocument,
  format: Exclude<ExportFormat, 'original'>,
  options: ReadOptions = {},
): Promise<Formatted> {
  if (format === 'csv') return csvOf(document, await tableOf(document), options)
  if (format === 'jsonl') return jsonLinesOf(document, await tableOf(document), options)
  if (format === 'text') return { content: document.text(options), mimeType: 'text/plain' }
  return jsonOf(document, options)
}

/** JSON in the bytes of the text where it is one; a text that is no JSON as a string of JSON. */
async function jsonOf(document: ValueDocument, options: ReadOptions): Promise<Formatted> {
  const mimeType = 'application/json'
  // Of several texts, all would be read for their tables; and no text is a list.
  const tables = document.kind === 'text' ? [] : await document.tables()
  const list = tables.find(({ path, kind }) => path === '' && kind === 'list')
  const rows = list?.rows === undefined ? {} : { rows: () => list.rows as number }
  return (await isJsonDocument(document))
    ? { content: document.text(options), mimeType, ...rows }
    : { content: quoted(document.text(options)), mimeType }
}

/** Also where the text is a number, or has a key twice. */
async function isJsonDocument({ kind, length, slice }: ValueDocument): Promise<boolean> {
  if (kind !== 'text') return true
  const beginning = await slice(0, PROBED)
  if (beginning.length === length) return paced(isJson(beginning))
  return (await paced(mayBeginJson(beginning))) && paced(isJson(await slice(0, length)))
}

/** Characters of a text that tell whether all of it is worth to be looked at. */
const PROBED = 64 * 1024

async function* quoted(chunks: AsyncIterable<string>): AsyncIterable<string> {
  yield '"'
  for await (const chunk of chunks) yield JSON.stringify(chunk).slice(1, -1)
  yield '"'
}

/** @throws InvalidArgument */
async function tableOf(document: ValueDocument): Promise<ReadableTable> {
  const tables = await document.tables()
  const whole = tables.find(({ path }) => path === '')
  const [only, ...more] = tables
  if (whole) return whole
  if (!only)
    throw new InvalidArgument(
      'The value has no list of rows. Export it as json or text, or query it first and export the answer.',
    )
  if (more.length === 0) return only
  // The records of several texts are no part of the value together.
  const records = tables.find(({ path }) => path === RECORDS_PATH)
  const named = tables.filter(table => table !== records).map(({ path }) => `#${path}`)
  const asked = records ? `, or export the answer to a question: select * from ${records.name}` : ''
  throw new InvalidArgument(
    `The value has several tables: add the one you mean to the ref_id (${named.slice(0, 10).join(', ')})${asked}.`,
  )
}

function jsonLinesOf(document: ValueDocument, table: ReadableTable, options: ReadOptions): Formatted {
  let rows = 0
  async function* lines(): AsyncIterable<string> {
    for await (const batch of document.rowsJson(table, options)) {
      const inside = batch.slice(1, -1)
      if (inside.trim() === '') continue
      let text = ''
      let start = 0
      for (const end of [...partEnds(inside, 0, Number.POSITIVE_INFINITY), inside.length]) {
        text += `${inside.slice(start, end).trim()}\n`
        rows++
        start = end + 1
      }
      yield text
    }
  }
  return { content: lines(), rows: () => rows, mimeType: 'application/jsonl' }
}

/** A cell of a list, where rows are no records. */
const VALUE = 'value'

/**
 * CSV as RFC 4180 has it. Cells are exact: what a spreadsheet would take for a formula stays as it is, since a changed cell is wrong data
 * for everybody else.
 */
async function csvOf(
  document: ValueDocument,
  table: ReadableTable,
  options: ReadOptions,
): Promise<Formatted> {
  const { stringify } = await import('csv-stringify/sync')
  let rows = 0
  async function* lines(): AsyncIterable<string> {
    const columns = await columnsOf(document, table, options)
    const format = (cells: readonly string[][]) =>
      stringify(cells as string[][], { record_delimiter: '\r\n' })
    yield format([[...columns]])
    for await (const batch of document.rows(table, options)) {
      rows += batch.length
      yield format(batch.map(row => cellsOf(row, columns)))
    }
  }
  return { content: lines(), rows: () => rows, mimeType: 'text/csv' }
}

/** The fields of all records, in the order in which they come. */
async function columnsOf(
  document: ValueDocument,
  table: ReadableTable,
  options: ReadOptions,
): Promise<string[]> {
  const names = new Set<string>()
  let widest = 0
  let hasValues = false
  for await (const batch of document.rows(table, options)) {
    for (const row of batch) {
      if (Array.isArray(row)) widest = Math.max(widest, row.length)
      else if (isJsonObject(row)) for (const name of Object.keys(row)) names.add(name)
      else hasValues = true
    }
  }
  for (let position = 1; position <= widest; position++) names.add(`c${position}`)
  if (hasValues || names.size === 0) names.add(VALUE)
  return [...names]
}

function cellsOf(row: JsonValue, columns: readonly string[]): string[] {
  const record: Record<string, JsonValue | undefined> = Array.isArray(row)
    ? Object.fromEntries(row.map((cell, at) => [`c${at + 1}`, cell]))
    : isJsonObject(row)
      ? row
      : { [VALUE]: row }
  return columns.map(name => (Object.hasOwn(record, name) ? cellOf(record[name]) : ''))
}

function cellOf(cell: JsonValue | undefined): string {
  if (cell === null || cell === undefined) return ''
  return typeof cell === 'string' ? cell : stringifyJson(cell)
}
