import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import {
  CELL_KINDS,
  declaredType,
  describeKinds,
  kindOfCell,
  type SqlCell,
  sqlCell,
} from '../../values/sql-cell.ts'
import { ColumnNames, quoteSqlName } from '../../values/sql-names.ts'
import type { Database, Statement } from './binding.ts'

/** What is known of a table that was written. */
export interface WrittenTable {
  readonly name: string
  readonly rows: number
  readonly columns: readonly WrittenColumn[]
}

export interface WrittenColumn {
  readonly name: string
  /** Bits of `CELL_KINDS`. */
  readonly kinds: number
  /** Rows that have a value. */
  readonly present: number
  readonly keys: readonly string[]
  readonly examples: readonly string[]
}

/** Rows that are written at once; fewer of wide ones. */
const ROWS_AT_ONCE = 200
const CELLS_AT_ONCE = 2_000
const MOST_KEYS = 30
const MOST_EXAMPLES = 3
const LONGEST_EXAMPLE = 40

interface Column {
  kinds: number
  present: number
  readonly keys: Set<string>
  readonly examples: Set<string>
}

/** Writes the rows of one table. Its columns come as its rows have them. */
export class TableWriter {
  readonly #names = new ColumnNames()
  readonly #columns: Column[] = []
  /** Rows that are not written yet. */
  #waiting: SqlCell[][] = []
  #rows = 0
  #isCreated = false
  /** Columns that the table has. */
  #made = 0
  readonly #statements = new Map<number, Statement>()

  constructor(
    private readonly database: Database,
    readonly name: string,
  ) {}

  add(row: JsonValue): void {
    const cells: SqlCell[] = []
    if (isJsonObject(row)) this.#addRecord(row, cells)
    else if (Array.isArray(row)) this.#addList(row, cells)
    else if (row !== null) this.#put(cells, 'value', row)
    this.#rows++
    this.#waiting.push(cells)
    if (this.#waiting.length >= this.#atOnce()) this.#write()
  }

  /** Writes what waits, and declares the types of the columns. */
  end(): WrittenTable {
    if (this.#columns.length === 0) this.#columnAt('value')
    this.#write()
    const columns = this.#columns.map(({ kinds, present, keys, examples }, at) => ({
      name: this.#names.names[at] as string,
      kinds,
      present,
      keys: [...keys],
      examples: [...examples],
    }))
    this.#declare(columns)
    return { name: this.name, rows: this.#rows, columns }
  }

  #addRecord(row: JsonObject, cells: SqlCell[]): void {
    let rest: JsonObject | undefined
    for (const field in row) {
      if (this.#put(cells, field, row[field] as JsonValue)) continue
      rest ??= {}
      rest[field] = row[field] as JsonValue
    }
    if (rest) this.#putRest(cells, rest)
  }

  #addList(row: readonly JsonValue[], cells: SqlCell[]): void {
    for (let at = 0; at < row.length; at++) {
      if (this.#put(cells, `c${at + 1}`, row[at] as JsonValue)) continue
      this.#putRest(cells, row.slice(at))
      return
    }
  }

  /** False: there is no column left for it. */
  #put(cells: SqlCell[], field: string, cell: JsonValue): boolean {
    const at = this.#columnAt(field)
    if (at === undefined) return false
    cells[at] = this.#note(at, cell)
    return true
  }

  #putRest(cells: SqlCell[], rest: JsonObject | JsonValue[]): void {
    const at = this.#names.rest()
    this.#columns[at] ??= { kinds: 0, present: 0, keys: new Set(), examples: new Set() }
    cells[at] = this.#note(at, rest)
  }

  #columnAt(field: string): number | undefined {
    const at = this.#names.columnOf(field)
    if (at === this.#columns.length) {
      this.#columns.push({ kinds: 0, present: 0, keys: new Set(), examples: new Set() })
    }
    return at
  }

  #note(at: number, cell: JsonValue): SqlCell {
    if (cell === null) return null
    const column = this.#columns[at] as Column
    const kind = kindOfCell(cell)
    column.kinds |= kind
    column.present++
    if (kind === CELL_KINDS.json) noteKeys(column.keys, cell)
    else if (column.examples.size < MOST_EXAMPLES) column.examples.add(String(cell).slice(0, LONGEST_EXAMPLE))
    return sqlCell(cell)
  }

  #atOnce(): number {
    return Math.max(1, Math.min(ROWS_AT_ONCE, Math.floor(CELLS_AT_ONCE / (this.#columns.length || 1))))
  }

  #write(): void {
    const width = this.#columns.length
    if (width === 0) return
    this.#makeColumns()
    const rows = this.#waiting
    this.#waiting = []
    if (rows.length === 0) return
    const cells: SqlCell[] = []
    for (const row of rows) for (let at = 0; at < width; at++) cells.push(row[at] ?? null)
    this.#statementFor(rows.length, width).run(...cells)
  }

  #makeColumns(): void {
    const names = this.#names.names.map(quoteSqlName)
    if (!this.#isCreated) {
      this.database.exec(`CREATE TABLE ${quoteSqlName(this.name)} (${names.join(', ')})`)
    } else {
      for (const name of names.slice(this.#made)) {
        this.database.exec(`ALTER TABLE ${quoteSqlName(this.name)} ADD COLUMN ${name}`)
      }
    }
    if (this.#made !== names.length) this.#statements.clear()
    this.#made = names.length
    this.#isCreated = true
  }

  #statementFor(rows: number, width: number): Statement {
    const known = this.#statements.get(rows)
    if (known) return known
    const row = `(${Array(width).fill('?').join()})`
    const statement = this.database.prepare(
      `INSERT INTO ${quoteSqlName(this.name)} VALUES ${Array(rows).fill(row).join()}`,
    )
    this.#statements.set(rows, statement)
    return statement
  }

  /**
   * The types are known when all rows were seen, and SQLite cannot change them then. What it keeps a table by is its text: that is
   * replaced. The stored values are of that type already.
   */
  #declare(columns: readonly WrittenColumn[]): void {
    const declared = columns.map(({ name, kinds }) => `${quoteSqlName(name)} ${declaredType(kinds)}`.trim())
    this.database
      .prepare('UPDATE sqlite_schema SET sql = ? WHERE type = ? AND name = ?')
      .run(`CREATE TABLE ${quoteSqlName(this.name)} (${declared.join(', ')})`, 'table', this.name)
  }
}

function noteKeys(keys: Set<string>, cell: JsonValue): void {
  const record = Array.isArray(cell) ? cell[0] : cell
  if (keys.size === MOST_KEYS || !isJsonObject(record ?? null)) return
  for (const key in record as JsonObject) {
    if (keys.size === MOST_KEYS) return
    keys.add(key.slice(0, LONGEST_EXAMPLE))
  }
}

/** The table that lists the columns of all tables. */
export function writeColumns(
  database: Database,
  name: string,
  tables: readonly WrittenTable[],
): WrittenTable {
  const writer = new TableWriter(database, name)
  for (const table of tables) {
    for (const column of table.columns) {
      writer.add({
        in_table: table.name,
        name: column.name,
        type: describeKinds(column.kinds),
        rows: column.present,
        keys: column.keys.length > 0 ? column.keys.join(', ') : null,
        examples: column.examples.length > 0 ? stringifyJson(column.examples as string[]) : null,
      })
    }
  }
  return writer.end()
}
