import { ExactNumber } from '../core/exact-number.ts'
import type { JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'

/** What SQLite is given for a cell. A bigint becomes an INTEGER, a number a REAL. */
export type SqlCell = null | string | number | bigint

/** What kinds of values a column holds, as bits. */
export const CELL_KINDS = {
  integer: 1,
  /** An integer that a REAL does not hold exactly. */
  longInteger: 2,
  real: 4,
  text: 8,
  boolean: 16,
  json: 32,
} as const

const LEAST_INTEGER = -(2n ** 63n)
const GREATEST_INTEGER = 2n ** 63n - 1n

/** A cell as SQLite stores it, and what kind it is; 0 for nothing. */
export function kindOfCell(cell: JsonValue): number {
  switch (typeof cell) {
    case 'string':
      return CELL_KINDS.text
    case 'number':
      if (Number.isSafeInteger(cell)) return CELL_KINDS.integer
      return Number.isInteger(cell) ? kindOfExact(String(cell)) : CELL_KINDS.real
    case 'boolean':
      return CELL_KINDS.boolean
    default:
      if (cell === null) return 0
      return cell instanceof ExactNumber ? kindOfExact(cell.source) : CELL_KINDS.json
  }
}

/** The value of a cell as SQLite is given it. */
export function sqlCell(cell: JsonValue): SqlCell {
  switch (typeof cell) {
    case 'string':
      return cell
    case 'number':
      if (Number.isSafeInteger(cell)) return BigInt(cell)
      return Number.isInteger(cell) ? sqlExact(String(cell)) : cell
    case 'boolean':
      return cell ? 1n : 0n
    default:
      if (cell === null) return null
      return cell instanceof ExactNumber ? sqlExact(cell.source) : stringifyJson(cell)
  }
}

const INTEGER = /^-?\d+$/

function kindOfExact(source: string): number {
  if (!INTEGER.test(source)) return Number.isFinite(Number(source)) ? CELL_KINDS.real : CELL_KINDS.text
  const value = BigInt(source)
  if (value < LEAST_INTEGER || value > GREATEST_INTEGER) return CELL_KINDS.text
  return Number.isSafeInteger(Number(source)) ? CELL_KINDS.integer : CELL_KINDS.longInteger
}

function sqlExact(source: string): SqlCell {
  if (!INTEGER.test(source)) return Number.isFinite(Number(source)) ? Number(source) : source
  const value = BigInt(source)
  // Outside of 64 bits it keeps its digits as text.
  return value < LEAST_INTEGER || value > GREATEST_INTEGER ? source : value
}

/** The type to declare for a column, so that it compares as its values do: `id = 123` finds the text `123`. Empty: none. */
export function declaredType(kinds: number): '' | 'TEXT' | 'INTEGER' | 'REAL' {
  const { integer, longInteger, real, text, boolean, json } = CELL_KINDS
  const only = (...some: number[]) =>
    kinds !== 0 && (kinds & ~some.reduce((sum, kind) => sum | kind, 0)) === 0
  if (only(text, json)) return 'TEXT'
  if (only(integer, longInteger, boolean)) return 'INTEGER'
  return only(integer, real) ? 'REAL' : ''
}

/** The kinds as a reader is told them. */
export function describeKinds(kinds: number): string {
  const named: [string, number][] = [
    ['text', CELL_KINDS.text],
    ['integer', CELL_KINDS.integer | CELL_KINDS.longInteger],
    ['real', CELL_KINDS.real],
    ['boolean', CELL_KINDS.boolean],
    ['json', CELL_KINDS.json],
  ]
  return named.flatMap(([name, bits]) => (kinds & bits ? [name] : [])).join(', ') || 'null'
}
