import { cutText } from '../core/cut-text.ts'
import { nearestFirst } from '../core/suggest.ts'

/** A table as far as errors tell of it. */
export interface KnownTable {
  readonly name: string
  readonly rows: number
  readonly columns: readonly string[]
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
  const asked = tables.filter(table => mentions(sql, table.name))
  const known = (asked.length > 0 ? asked : tables).map(
    table => `${named(table)}: ${listed(name, table.columns)}`,
  )
  const text = sql.includes(`"${name}"`) ? ` (For a text, write '${cut(name)}'.)` : ''
  return `There is no column ${cut(column)}.${text} There are, in ${known.slice(0, 8).join('; in ')}.`
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
  return tables.some(({ columns }) => columns.some(column => column.toLowerCase() === word.toLowerCase()))
}

function mentions(sql: string, name: string): boolean {
  return sql.toLowerCase().includes(name.toLowerCase())
}

/** Digits in a statement that do not fit into 64 bits. */
function longNumber(sql: string): string | undefined {
  const numbers = sql.replace(/'[^']*'/g, "''").match(/\b\d{19,80}\b/g) ?? []
  return numbers.find(digits => BigInt(digits) >= 2n ** 63n)
}
