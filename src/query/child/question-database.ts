import { SegmentReader } from '../../values/segments/reader.ts'
import { SEGMENT_LENGTH } from '../../values/segments/segment-index.ts'
import { foldCase, freeSqlName, namesWithin } from '../../values/sql-names.ts'
import { explainEmpty, explainError } from '../explain.ts'
import type { ChildRequest } from '../messages.ts'
import { checkStatement } from '../statement.ts'
import type { Binding, Cell, Database, Statement } from './binding.ts'
import { type RowSource, tablesOfDocument, tablesOfJson } from './document.ts'
import { addFunctions } from './functions.ts'
import type { ReceivedText } from './received-text.ts'
import { TableWriter, type WrittenTable, writeColumns } from './table-writer.ts'

/** What the authorizer of SQLite lets a question do. */
const ALLOWED = new Set([
  20, // read a column
  21, // select
  31, // call a function
  33, // a recursive select
])
const [OK, DENY] = [0, 1]

/** Characters of rows that are sent at once. */
const SENT_AT_ONCE = 64 * 1024

/** A value that is loaded. */
export type LoadedValue = Omit<ChildRequest & { type: 'load' }, 'type' | 'set'>

/** The values that are asked together, as tables in a database of their own. */
export class QuestionDatabase {
  readonly #database: Database
  readonly #tables: WrittenTable[] = []
  #isSealed = false

  constructor({ DatabaseSync }: Binding) {
    this.#database = new DatabaseSync(':memory:', { defensive: false, allowExtension: false })
    // Larger pages are written and read faster: measured, a fifth and a third.
    this.#database.exec(
      'PRAGMA page_size = 16384; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA writable_schema = ON',
    )
    addFunctions(this.#database)
  }

  async load(value: LoadedValue, text: ReceivedText): Promise<void> {
    const { name } = value
    const sources = await tablesOfReceived(value, text)
    const names = name === undefined ? sources.map(source => source.name) : namesWithin(name, sources)
    this.#database.exec('BEGIN')
    for (const [at, source] of sources.entries())
      this.#tables.push(await this.#write(source, names[at] as string))
    this.#database.exec('COMMIT')
  }

  async #write(source: RowSource, name: string): Promise<WrittenTable> {
    const taken = new Set(this.#tables.map(table => foldCase(table.name)))
    const writer = new TableWriter(this.#database, freeSqlName(name, taken))
    await source.each(row => writer.add(row))
    return writer.end()
  }

  /** From now on nothing is written. */
  #seal(): void {
    if (this.#isSealed) return
    this.#isSealed = true
    this.#tables.push(writeColumns(this.#database, 'columns', this.#tables))
    this.#database.exec('PRAGMA writable_schema = RESET; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF')
    this.#database.enableDefensive?.(true)
    this.#database.setAuthorizer?.((action, first, second) => {
      const isExtension = action === 31 && /^load_extension$/i.test(second ?? first ?? '')
      return ALLOWED.has(action) && !isExtension ? OK : DENY
    })
  }

  /** Memory of the tables, in bytes. */
  get bytes(): number {
    const sizes = ['page_count', 'page_size'].map(pragma => {
      const [row] = [...this.#database.prepare(`PRAGMA ${pragma}`).iterate()] as Record<string, number>[]
      return Object.values(row ?? {})[0] ?? 0
    })
    return (sizes[0] as number) * (sizes[1] as number)
  }

  /**
   * Asks one question. Its rows go to `send`, as JSON lists of objects.
   * @returns the columns, and what is to be said of an answer without rows
   * @throws InvalidQuestion
   */
  async ask(
    sql: string,
    maxBytes: number,
    send: (rows: string) => Promise<void>,
  ): Promise<{ columns: string[]; note?: string }> {
    this.#seal()
    try {
      // Where SQLite cannot be told what a question may do, the form of the statement alone holds it.
      if (!this.#database.setAuthorizer) checkStatement(sql)
      const statement = this.#database.prepare(sql)
      statement.setReadBigInts(true)
      statement.setReturnArrays?.(true)
      return await this.#rows(statement, sql, maxBytes, send)
    } catch (error) {
      if (error instanceof InvalidQuestion) throw error
      throw new InvalidQuestion(explainError(error instanceof Error ? error.message : '', sql, this.#tables))
    }
  }

  async #rows(
    statement: Statement,
    sql: string,
    maxBytes: number,
    send: (rows: string) => Promise<void>,
  ): Promise<{ columns: string[]; note?: string }> {
    let columns = statement.columns && distinct(statement.columns().map(({ name }) => name))
    let [count, sent, text] = [0, 0, '']
    for (const found of statement.iterate()) {
      const cells: Cell[] = Array.isArray(found) ? found : Object.values(found as Record<string, Cell>)
      columns ??= Object.keys(found as object)
      text += `${text === '' ? '[' : ','}${recordOf(columns, cells)}`
      count++
      if (text.length < SENT_AT_ONCE) continue
      sent += text.length
      if (sent > maxBytes) throw new InvalidQuestion(tooLarge(maxBytes))
      await send(`${text}]`)
      text = ''
    }
    if (text !== '') await send(`${text}]`)
    return { columns: columns ?? [], ...(count === 0 ? { note: explainEmpty(sql, this.#tables) } : {}) }
  }

  close(): void {
    this.#database.close()
  }
}

/** JSON is read while it comes: what is where in it is known. */
async function tablesOfReceived(
  { kind, length, containers, blocks }: LoadedValue,
  text: ReceivedText,
): Promise<RowSource[]> {
  if (!containers || length === undefined) return tablesOfDocument(kind, await text.takeAll(), blocks)
  const segments: number[] = []
  for (let at = 0; at < length; at += SEGMENT_LENGTH) segments.push(Math.min(SEGMENT_LENGTH, length - at))
  const index = { form: 'json', length, jsonBytes: 0, segments, containers } as const
  const reader = new SegmentReader(index, number => {
    const start = number * SEGMENT_LENGTH
    return text.slice(start, Math.min(start + SEGMENT_LENGTH, length))
  })
  return tablesOfJson(reader)
}

/** The question is at fault; the message says what to ask instead. */
export class InvalidQuestion extends Error {}

function tooLarge(maxBytes: number): string {
  return `The answer has more than ${maxBytes} bytes of JSON, the most this cache stores. Select fewer rows or columns.`
}

/** Two columns of one name: the second gets `_2`. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map(name => {
    let free = name
    for (let count = 2; taken.has(free); count++) free = `${name}_${count}`
    taken.add(free)
    return free
  })
}

const keys = new Map<string, string>()

function recordOf(columns: readonly string[], cells: readonly Cell[]): string {
  let json = '{'
  for (let at = 0; at < columns.length; at++) {
    json += `${at === 0 ? '' : ','}${keyOf(columns[at] as string)}:${jsonOf(cells[at] ?? null)}`
  }
  return `${json}}`
}

function keyOf(name: string): string {
  const known = keys.get(name)
  if (known !== undefined) return known
  if (keys.size > 10_000) keys.clear()
  const key = JSON.stringify(name)
  keys.set(name, key)
  return key
}

function jsonOf(cell: Cell): string {
  switch (typeof cell) {
    case 'string':
      return JSON.stringify(cell)
    case 'bigint':
      return String(cell)
    case 'number':
      // SQLite has infinities, JSON has none.
      return Number.isFinite(cell) ? JSON.stringify(cell) : JSON.stringify(String(cell))
    default:
      return cell === null ? 'null' : JSON.stringify(Buffer.from(cell).toString('hex'))
  }
}
