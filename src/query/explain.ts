import { cutText } from '../core/cut-text.ts'
import { nearestFirst } from '../core/suggest.ts'

/** A table as far as errors tell of it. */
export interface KnownTable {
  readonly name: string
  readonly rows: number
  readonly columns: readonly KnownColumn[]
}

interface KnownColumn {
  readonly name: string
  /** Of the objects in it, or in its lists. */
  readonly keys: readonly string[]
}

const MOST_NAMES = 40
const LONGEST_NAME = 60
const LONGEST_MESSAGE = 300

/** What a question went wrong with, and what to write instead. */
export function explainError(message: string, sql: string, tables: readonly KnownTable[]): string {
  const [, table] = /^no such table: (.*)$/s.exec(message) ?? []
  if (table !== undefined) {
    return `There is no table ${cut(table)}. There are: ${listed(table, tables.map(named))}.`
  }
  const [, column] = /^no such column: (.*?)(?: - should this be .*)?$/s.exec(message) ?? []
  if (column !== undefined) return explainColumn(column, sql, tables)
  if (/malformed JSON/i.test(message) && sql.includes('->') && sql.includes('||')) {
    return `${cut(message)}: || binds like ->>, so put parentheses around each (column ->> 'key').`
  }
  const [, shared] = /^ambiguous column name: (.*)$/s.exec(message) ?? []
  if (shared !== undefined) {
    return `Several tables have a column ${cut(shared)}, json_each and json_tree too: write table.${cut(shared)}, with the alias of the table.`
  }
  const [, word] = /near "(\w+)": syntax error/.exec(message) ?? []
  if (word !== undefined && isColumn(word, tables)) {
    return `${cut(message)}. ${word} is a word of SQL: write the column as "${word}".`
  }
  const [, called] = /^no such function: (.*)$/s.exec(message) ?? []
  if (called !== undefined) {
    return `There is no function ${cut(called)}. There are SQLite's own, REGEXP, number(text) and split(text, separator).`
  }
  return `${cutText(message, LONGEST_MESSAGE)}. (This is SQLite.)`
}

/** Why a question that was understood may have found nothing. */
export function explainEmpty(sql: string, tables: readonly KnownTable[]): string {
  const asked = tables.filter(({ name }) => mentions(sql, name))
  const counted = asked.map(({ name, rows }) => `${cut(name)} has ${rows} rows`).slice(0, MOST_NAMES)
  const said = counted.length > 0 ? `No row fits; ${counted.join(', ')}.` : 'No row fits.'
  return longNumber(sql)
    ? `${said} A number beyond 64 bits is kept as text: compare it with one in quotes, '${longNumber(sql)}'.`
    : said
}

function explainColumn(column: string, sql: string, tables: readonly KnownTable[]): string {
  const name = column.split('.').at(-1) ?? column
  const mentioned = tables.filter(table => mentions(sql, table.name))
  const asked = mentioned.length > 0 ? mentioned : tables
  const instead = quotedColumn(column, sql, asked) ?? valueWithin(column, asked)
  if (instead !== undefined) return `There is no column ${cut(column)}. Write ${instead}.`
  const known = asked.map(
    table =>
      `${named(table)}: ${listed(
        name,
        table.columns.map(column => column.name),
      )}`,
  )
  const text = sql.includes(`"${name}"`) ? ` (For a text, write '${cut(name)}'.)` : ''
  return `There is no column ${cut(column)}.${text} There are, in ${known.slice(0, 8).join('; in ')}.`
}

/** A name with a dot or a space in it, which SQL takes for a name only in quotes. */
function quotedColumn(column: string, sql: string, tables: readonly KnownTable[]): string | undefined {
  for (const { name } of tables.flatMap(table => table.columns)) {
    const isMeant = /[^\w]/.test(name) && (`.${column}`.endsWith(`.${name}`) || name.startsWith(`${column} `))
    if (isMeant && mentions(sql, name) && !sql.includes(`"${name}"`)) return `"${cut(name)}"`
  }
  return undefined
}

/** What stands within the objects of a column: `limits.cpu`, or `cpu` alone. */
function valueWithin(column: string, tables: readonly KnownTable[]): string | undefined {
  const [key, outer] = column.split('.').reverse() as [string, string?]
  const all = tables.flatMap(table => table.columns)
  const holder =
    all.find(({ name, keys }) => name === outer && keys.length > 0) ??
    all.find(({ keys }) => keys.includes(key))
  if (!holder) return undefined
  const [name, member] = [cut(holder.name), cut(key)]
  return `${name}->>'${member}', or the rows of json_each(${name}) where that is a list`
}

function listed(word: string, names: readonly string[]): string {
  const ordered = nearestFirst(word, names.slice(0, 2_000))
  const shown = ordered.slice(0, MOST_NAMES).map(cut)
  const more = names.length - shown.length
  return more > 0 ? `${shown.join(', ')}, …(+${more})` : shown.join(', ')
}

function named({ name }: KnownTable): string {
  return cut(name)
}

function cut(name: string): string {
  return cutText(name, LONGEST_NAME)
}

function isColumn(word: string, tables: readonly KnownTable[]): boolean {
  return tables.some(({ columns }) => columns.some(({ name }) => name.toLowerCase() === word.toLowerCase()))
}

function mentions(sql: string, name: string): boolean {
  return sql.toLowerCase().includes(name.toLowerCase())
}

/** Digits in a statement that do not fit into 64 bits. */
function longNumber(sql: string): string | undefined {
  const numbers = sql.replace(/'[^']*'/g, "''").match(/\b\d{19,80}\b/g) ?? []
  return numbers.find(digits => BigInt(digits) >= 2n ** 63n)
}
