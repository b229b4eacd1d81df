import type { ColumnShape } from '../values/column.ts'
import { ELLIPSIS } from './truncate.ts'

/** How much is said of each column, most first. */
export const DETAILS = [
  { values: 8, characters: 40, keys: 12 },
  { values: 4, characters: 24, keys: 6 },
  { values: 2, characters: 16, keys: 3 },
  { values: 0, characters: 10, keys: 0 },
] as const

export type Detail = (typeof DETAILS)[number]

/** Type, frequent values or extremes, and in how many of so many rows. */
export function describeColumn(column: ColumnShape, rows: number, detail: Detail): string {
  const { present, kinds } = column
  const [main, ...others] = kinds
  const content = main ? [describeMain(column, detail)] : ['null']
  for (const { kind, count, example } of main ? others : []) {
    if (areOneKind(kind, main?.kind)) continue
    content.push(`${kind} ${quoted(example, detail)} ${count}`)
  }
  return present < rows && present > 0 ? `${content.join(', ')}, in ${present}` : content.join(', ')
}

/** What columns that are alike have in common. */
export function describeRun(columns: readonly ColumnShape[], rows: number, detail: Detail): string {
  const types = [...new Set(columns.map(typeOf))]
  const type = types.every(one => one === 'integer' || one === 'number') ? types.toSorted().at(-1) : types[0]
  const least = columns.flatMap(({ leastNumber }) => leastNumber?.number ?? [])
  const greatest = columns.flatMap(({ greatestNumber }) => greatestNumber?.number ?? [])
  const isNumbers = detail.values > 0 && least.length === columns.length
  const range = isNumbers ? ` ${Math.min(...least)} ${ELLIPSIS} ${Math.max(...greatest)}` : ''
  const presence = columns.every(column => isInAll(column, rows)) ? '' : ', each in some rows'
  return `${columns.length} columns: ${type}${range}${presence}`
}

export function isInAll({ present }: ColumnShape, rows: number): boolean {
  return present === rows
}

/** Integers among other numbers need no mention. */
function areOneKind(one: string, other: string | undefined): boolean {
  const numbers = ['integer', 'number']
  return numbers.includes(one) && other !== undefined && numbers.includes(other)
}

function describeMain(column: ColumnShape, detail: Detail): string {
  const main = column.kinds[0] as ColumnShape['kinds'][number]
  switch (main.kind) {
    case 'object':
      return `json {${keysOf(column, detail)}}`
    case 'list': {
      const keys = keysOf(column, detail)
      return `json [${keys === '' ? `up to ${column.mostItems ?? 0}` : `{${keys}}`}]`
    }
    default: {
      const said = detail.values > 0 ? (valuesOf(column, detail) ?? rangeOf(column, detail)) : ''
      return said === '' ? typeOf(column) : `${typeOf(column)} ${said}`
    }
  }
}

export function typeOf({ kinds }: ColumnShape): string {
  const kind = kinds[0]?.kind
  if (kind === undefined) return 'null'
  if (kind === 'numeric text') return 'text of numbers'
  return kind === 'integer' && kinds.some(other => other.kind === 'number') ? 'number' : String(kind)
}

function keysOf({ keys = [] }: ColumnShape, detail: Detail): string {
  const shown = keys.slice(0, detail.keys)
  const more = keys.length - shown.length
  if (shown.length === 0) return keys.length === 0 ? '' : ELLIPSIS
  return [...shown, ...(more > 0 ? [`${ELLIPSIS}(+${more})`] : [])].join(', ')
}

/** Values that come again and again, with how often. Undefined where hardly any does. */
function valuesOf(column: ColumnShape, detail: Detail): string | undefined {
  const { values, isWholeCount, present, leastNumber } = column
  const [most] = values
  if (!most || (leastNumber && !(isWholeCount && values.length <= detail.values))) return undefined
  if (values.length === 1 && isWholeCount && most.count === present) return quoted(most.value, detail)
  // Of a list of names that differ, no value says anything.
  const middle = values[values.length >> 1]?.count ?? 0
  const tells = isWholeCount
    ? values.length <= detail.values || most.count >= 2 * middle + 1
    : most.count >= present / 10
  if (!tells) return undefined
  const shown = isWholeCount ? values : values.filter(({ count }) => count >= present / 100)
  const odd = isWholeCount && values.length > detail.values ? values.slice(-1) : []
  const first = shown.slice(0, detail.values - odd.length)
  if (most.count === 1) return values.map(({ value }) => quoted(value, detail)).join(', ')
  // Two numbers side by side would say nothing.
  const times = leastNumber ? '×' : isWholeCount ? '' : '~'
  const listed = [...first, ...odd].map(({ value, count }) => `${quoted(value, detail)} ${times}${count}`)
  const more = values.length - first.length - odd.length
  if (!isWholeCount) return `${listed.join(', ')}, ${ELLIPSIS}`
  if (more > 0) listed.splice(first.length, 0, `${ELLIPSIS}(+${more} values)`)
  return listed.join(', ')
}

function rangeOf(column: ColumnShape, detail: Detail): string {
  const { leastNumber, greatestNumber, leastText, greatestText, kinds } = column
  if (kinds[0]?.kind === 'text') {
    if (leastText === undefined || greatestText === undefined) return ''
    return `${quoted(leastText, detail)} ${ELLIPSIS} ${quoted(greatestText, detail)}`
  }
  return leastNumber && greatestNumber ? `${leastNumber.number} ${ELLIPSIS} ${greatestNumber.number}` : ''
}

function quoted(value: string, { characters }: Detail): string {
  const line = value.replaceAll(/\s+/g, ' ')
  return line.length <= characters
    ? line
    : `${Array.from(line.slice(0, characters)).join('').trimEnd()}${ELLIPSIS}`
}
