import type { JsonObject, JsonValue } from '../core/json.ts'
import type { Numbers } from '../core/number-list.ts'
import { parsedJson } from './equal-json.ts'

/** A text whose lines are the rows of a table. */
export interface TextTable {
  readonly name: 'rows' | 'items'
  /** Lines before the first row. */
  readonly header: 0 | 1
  /** For a text that comes in pieces. */
  reader(): RowReader
}

/** Takes a text that is a table, and gives its rows as soon as they are whole. */
export interface RowReader {
  push(piece: string): Iterable<TextRow>
  end(): Iterable<TextRow>
}

/** The rows of a text that is at hand in pieces. */
export function* rowsOfText(table: TextTable, pieces: Iterable<string>): Iterable<TextRow> {
  const reader = table.reader()
  for (const piece of pieces) yield* reader.push(piece)
  yield* reader.end()
}

export interface TextRow {
  /** Null where the line cannot be read. */
  readonly row: JsonValue
  readonly isBad?: true
  /** Its first line, from 0, and how many it takes. */
  readonly line: number
  readonly lines: number
}

/** Rows of a text: where each begins, in lines from 0, and which are unlike the others. */
export interface TextRows {
  readonly header: number
  readonly starts: Numbers
  readonly outliers: readonly number[]
}

/** The sheet of cells in a CSV text. */
export type ParseCsv = (text: string, delimiter: string) => string[][]

/** Only the beginning of a text is looked at to tell what it is. */
export const PROBED_CHARACTERS = 64 * 1024
const PROBED_LINES = 30

/**
 * The table that a text is: CSV, TSV or JSON lines. Undefined: a text like any other.
 * @param text all of it, or `PROBED_CHARACTERS` and more
 * @param loadCsv asked only where the text looks like one
 */
export async function textTableOf(
  text: string,
  loadCsv: () => Promise<ParseCsv> = loadCsvParser,
): Promise<TextTable | undefined> {
  const head = headOf(text)
  if (head.length < 2) return undefined
  if (isJsonLines(head)) return { name: 'items', header: 0, reader: () => new JsonLineReader() }
  const delimiter = DELIMITERS.find(one => looksDelimited(head, one))
  if (delimiter === undefined) return undefined
  const parse = await loadCsv()
  const [names, ...rows] = parseSafely(parse, balanced(head), delimiter)
  if (!names || rows.length < 2 || !isHeader(names)) return undefined
  const even = rows.filter(row => row.length === names.length).length
  if (even < 0.6 * rows.length) return undefined
  return { name: 'rows', header: 1, reader: () => new CsvReader(delimiter, parse) }
}

/** What a text looks like by its beginning, before any library is asked. @param beginning more than is looked at, or all of it */
export function looksTabular(beginning: string): 'jsonl' | 'csv' | undefined {
  const head = headOf(beginning)
  if (head.length < 2) return undefined
  if (isJsonLines(head)) return 'jsonl'
  return DELIMITERS.some(one => looksDelimited(head, one)) ? 'csv' : undefined
}

const DELIMITERS = [',', '\t', ';']

/** The library that reads CSV, loaded when it is first needed. */
export async function loadCsvParser(): Promise<ParseCsv> {
  const { parse } = await import('csv-parse/sync')
  return (text, delimiter) =>
    withoutStacks(() =>
      parse(text, {
        delimiter,
        bom: true,
        relax_column_count: true,
        relax_quotes: true,
        skip_empty_lines: true,
      }),
    )
}

/** The library makes an error for each ragged row, which nobody sees: a stack for each takes longer than to read it. */
function withoutStacks<Result>(run: () => Result): Result {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function parseSafely(parse: ParseCsv, text: string, delimiter: string): string[][] {
  try {
    return parse(text, delimiter)
  } catch {
    // A quote that is never closed.
    return []
  }
}

/** The first whole lines. */
function headOf(text: string): string[] {
  const head = text.slice(0, PROBED_CHARACTERS)
  const lines = head.split('\n', PROBED_LINES + 1)
  if (head.length < text.length || lines.length > PROBED_LINES) lines.pop()
  return lines.map(line => line.replace(/\r$/, '')).filter(line => line.trim() !== '')
}

/** The lines up to the last one that ends outside of quotes. */
function balanced(lines: readonly string[]): string {
  let isOpen = false
  let end = 0
  for (const [at, line] of lines.entries()) {
    if (hasOpenQuote(line)) isOpen = !isOpen
    if (!isOpen) end = at + 1
  }
  return lines.slice(0, end).join('\n')
}

function isJsonLines(head: readonly string[]): boolean {
  const records = head.filter(line => /^\s*[{[]/.test(line) && typeof parsedJson(line) === 'object').length
  return records >= 2 && records >= 0.8 * head.length
}

/** Before the library is loaded: a header, and the same number of delimiters in nearly all lines. */
function looksDelimited([first = '', ...rest]: readonly string[], delimiter: string): boolean {
  if (rest.length < 2 || !first.includes(delimiter)) return false
  const count = first.split(delimiter).length
  // A cell in quotes may hold whatever it likes: the library knows.
  if (rest.some(line => line.includes('"'))) return true
  const even = rest.filter(line => line.split(delimiter).length === count)
  // In prose a space follows each comma.
  const spaced = rest.filter(line => line.includes(`${delimiter} `))
  return even.length >= 0.8 * rest.length && (count > 3 || 2 * spaced.length < rest.length)
}

const LONGEST_NAME = 100

/** Names of columns begin with a letter, are short and differ; data seldom does all of that. */
function isHeader(names: readonly string[]): boolean {
  const clean = names.map(name => name.trim())
  const areNames = clean.every(name => name.length <= LONGEST_NAME && /^[\p{L}_#$]/u.test(name))
  return names.length > 1 && areNames && new Set(clean).size === names.length
}

class JsonLineReader implements RowReader {
  #rest = ''
  #line = 0

  push(piece: string): Iterable<TextRow> {
    return this.#read(this.#rest + piece)
  }

  end(): Iterable<TextRow> {
    return this.#rowIn(this.#rest)
  }

  *#read(text: string): Iterable<TextRow> {
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield* this.#rowIn(text.slice(start, end))
      start = end + 1
    }
    this.#rest = text.slice(start)
  }

  *#rowIn(content: string): Iterable<TextRow> {
    const line = this.#line++
    if (content.trim() === '') return
    const row = parsedJson(content)
    yield row === undefined ? { row: null, isBad: true, line, lines: 1 } : { row, line, lines: 1 }
  }
}

/** Characters that the library reads at once. */
const AT_ONCE = 64 * 1024

/** A row ends at a line break outside of quotes. */
class CsvReader implements RowReader {
  #names: string[] | undefined
  #rest = ''
  #line = 0

  constructor(
    private readonly delimiter: string,
    private readonly parse: ParseCsv,
  ) {}

  push(piece: string): Iterable<TextRow> {
    return this.#read(this.#rest + piece, false)
  }

  end(): Iterable<TextRow> {
    return this.#read(this.#rest, true)
  }

  *#read(text: string, isWhole: boolean): Iterable<TextRow> {
    let start = 0
    while (start < text.length) {
      const { end, rows } = wholeRows(text, start, this.#line)
      // The last row may go on in the next piece.
      if (end === text.length && !isWhole) break
      const cells = parseSafely(this.parse, text.slice(start, end), this.delimiter)
      for (const [at, cellsOfRow] of cells.entries()) {
        const place = rows[Math.min(at, rows.length - 1)] as RowPlace
        if (!this.#names) this.#names = cellsOfRow.map(name => name.trim())
        else yield { row: recordOf(this.#names, cellsOfRow), ...place }
      }
      this.#line = rows.reduce((sum, row) => Math.max(sum, row.line + row.lines), this.#line)
      start = end
    }
    this.#rest = text.slice(start)
  }
}

type RowPlace = Omit<TextRow, 'row'>

/** The rows that begin here, until there is enough for one go, and where they end. */
function wholeRows(text: string, from: number, firstLine: number): { end: number; rows: RowPlace[] } {
  const rows: RowPlace[] = []
  let start = from
  for (let line = firstLine; start < text.length && start - from < AT_ONCE; ) {
    let [end, lines] = [endOfLine(text, start), 1]
    let isOpen = hasOpenQuote(text.slice(start, end))
    while (isOpen && end < text.length) {
      const next = endOfLine(text, end + 1)
      if (hasOpenQuote(text.slice(end + 1, next))) isOpen = false
      lines++
      end = next
    }
    if (end - start > 1 || text[start] !== '\r') if (end > start) rows.push({ line, lines })
    line += lines
    start = end + 1
  }
  return { end: Math.min(start, text.length), rows: rows.length > 0 ? rows : [{ line: firstLine, lines: 1 }] }
}

function hasOpenQuote(line: string): boolean {
  let isOpen = false
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) isOpen = !isOpen
  return isOpen
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start)
  return end < 0 ? text.length : end
}

/** Cells beyond the header count on: a ragged row loses nothing. */
function recordOf(names: readonly string[], cells: readonly string[]): JsonObject {
  const entries = cells.map((cell, at): [string, JsonValue] => [
    names[at] ?? `c${at + 1}`,
    cell === '' ? null : cell,
  ])
  return Object.fromEntries(entries)
}
