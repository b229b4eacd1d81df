import { isNumber } from '../ui/page/exact.ts'

/** A value as rows and columns, or as a text. */
export type Shown =
  | {
      readonly kind: 'table'
      readonly columns: readonly string[]
      readonly rows: readonly Row[]
      readonly left: number
    }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'nothing' }

/** The cells, or the mark of what is left out there. */
export type Row = readonly string[] | string

const MOST_ROWS = 500
const MOST_COLUMNS = 20
const LONGEST_CELL = 200
const LONGEST_TEXT = 8_000

/** A list of records is a table, and so is an object; all else is a text. */
export function shownValue(value: unknown): Shown {
  if (value === undefined) return { kind: 'nothing' }
  if (isDense(value)) return table(value.columns.map(String), value.rows)
  if (Array.isArray(value)) return value.some(isRecord) ? tableOfRecords(value) : tableOfScalars(value)
  if (isRecord(value)) return objectShown(value)
  return { kind: 'text', text: cut(typeof value === 'string' ? value : jsonText(value), LONGEST_TEXT) }
}

/** An object that holds one list is about that list. */
function objectShown(object: Readonly<Record<string, unknown>>): Shown {
  const lists = Object.values(object).filter(one => Array.isArray(one) && one.some(isRecord))
  const [list] = lists
  if (lists.length === 1 && list) return shownValue(list)
  return table(['', 'value'], Object.entries(object))
}

function tableOfRecords(list: readonly unknown[]): Shown {
  const shown = list.slice(0, MOST_ROWS)
  const columns = [...new Set(shown.filter(isRecord).flatMap(Object.keys))]
  const rows = shown.map(item => (isRecord(item) ? columns.map(name => fieldOf(item, name)) : item))
  return table(columns, rows, list.length)
}

function tableOfScalars(list: readonly unknown[]): Shown {
  const rows = list.slice(0, MOST_ROWS).map(item => (isMark(item) ? item : [item]))
  return table(['value'], rows, list.length)
}

function table(columns: readonly string[], rows: readonly unknown[], count = rows.length): Shown {
  const shown = rows.slice(0, MOST_ROWS)
  return {
    kind: 'table',
    columns: columns.slice(0, MOST_COLUMNS),
    rows: shown.map(row => (Array.isArray(row) ? row.slice(0, MOST_COLUMNS).map(cellText) : cellText(row))),
    left: count - shown.length,
  }
}

/** A field may be called `constructor`, which every object has. */
function fieldOf(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function cellText(value: unknown): string {
  if (value === undefined) return ''
  return cut(typeof value === 'string' ? value : jsonText(value), LONGEST_CELL)
}

/** What is nested deeper than the browser can write has no text. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return '…'
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

/** Such as `…(items 2 to 363)`. */
function isMark(item: unknown): item is string {
  return typeof item === 'string' && item.startsWith('…(')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isNumber(value)
}

function isDense(value: unknown): value is { columns: readonly unknown[]; rows: readonly unknown[] } {
  return isRecord(value) && Array.isArray(value.columns) && Array.isArray(value.rows)
}
