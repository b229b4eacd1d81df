import { RE2JS } from 're2js'
import type { Cell, Database } from './binding.ts'

const OPTIONS = { deterministic: true, useBigIntArguments: true }

/** What questions have beside SQLite's own functions. */
export function addFunctions(database: Database): void {
  database.function('regexp', OPTIONS, (pattern, text) =>
    pattern === null || text === null ? null : matches(String(pattern), asText(text)),
  )
  database.function('number', OPTIONS, numberIn)
  database.function('split', OPTIONS, (text, separator) =>
    text === null ? null : JSON.stringify(asText(text).split(String(separator ?? ''))),
  )
}

const MOST_PATTERNS = 50
const patterns = new Map<string, RE2JS>()

/** In linear time, whatever the pattern. */
function matches(pattern: string, text: string): bigint {
  let compiled = patterns.get(pattern)
  if (!compiled) {
    if (patterns.size === MOST_PATTERNS) patterns.clear()
    compiled = RE2JS.compile(pattern)
    patterns.set(pattern, compiled)
  }
  return compiled.matcher(text).find() ? 1n : 0n
}

function asText(cell: Cell): string {
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('utf8') : String(cell)
}

const NUMBER = /[-−+]?\s*\p{Sc}?\s*(\d[\d.,'’   ]*(?:[eE][-+]?\d+)?|\.\d+)/u

/** The number in `$1,299.00` or `15%`; null where there is none. */
export function numberIn(cell: Cell): number | bigint | null {
  if (typeof cell === 'number' || typeof cell === 'bigint') return cell
  if (cell === null) return null
  const text = asText(cell).trim()
  const [found, digits] = NUMBER.exec(text) ?? []
  if (found === undefined || digits === undefined) return null
  const value = Number(plainNumber(digits))
  if (Number.isNaN(value)) return null
  const isNegative = /^[-−]/.test(found) || /^\([^)]*\)$/.test(text)
  const signed = isNegative ? -value : value
  return Number.isSafeInteger(signed) && !/[.eE]/.test(plainNumber(digits)) ? BigInt(signed) : signed
}

/** Of commas and points, the one that groups digits in threes goes, and the other one is the point. */
function plainNumber(digits: string): string {
  const compact = digits.replace(/['’\s]/g, '').replace(/[.,]+$/, '')
  const comma = compact.lastIndexOf(',')
  const point = compact.lastIndexOf('.')
  if (comma >= 0 && point >= 0) {
    const group = comma > point ? '.' : ','
    return compact.replaceAll(group, '').replace(',', '.')
  }
  if (comma >= 0)
    return /^\d{1,3}(?:,\d{3})+$/.test(compact) ? compact.replaceAll(',', '') : compact.replace(',', '.')
  return /^\d{1,3}(?:\.\d{3}){2,}$/.test(compact) ? compact.replaceAll('.', '') : compact
}
