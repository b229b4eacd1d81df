import { ExactNumber } from '../core/exact-number.ts'
import type { JsonValue } from '../core/json.ts'
import { parseJson } from '../core/json-text.ts'

/** The JSON that a text is, if it is one: a file, an answer of an API, a number. */
export function parsedJson(text: string): JsonValue | undefined {
  if (!/^\s*["[{\-\dtfn]/.test(text)) return undefined
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/**
 * Whether two values are the same JSON; the order of members does not count. Takes any depth.
 *
 * @param counts how many members the objects in `other` have, for who compares many values with it: to count those of a
 *   large object takes long
 */
export function sameJson(one: JsonValue, other: JsonValue, counts = new Map<object, number>()): boolean {
  const countOf = (object: object): number => {
    const count = counts.get(object) ?? Object.keys(object).length
    counts.set(object, count)
    return count
  }
  const pairs: [unknown, unknown][] = [[one, other]]
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (isNumber(a) || isNumber(b)) {
      if (isNumber(a) && isNumber(b) && digitsOf(a) === digitsOf(b)) continue
      return false
    }
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
    if (Array.isArray(a) !== Array.isArray(b)) return false
    const names = Object.keys(a)
    if (names.length !== countOf(b)) return false
    for (const name of names) {
      if (!Object.hasOwn(b, name)) return false
      pairs.push([(a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]])
    }
  }
  return true
}

function isNumber(value: unknown): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber
}

/** The digits and the place of the point, however it is written: `1.50` is `1.5`, and `1e+21` is `1e21`. */
function digitsOf(number: number | ExactNumber): string {
  const [, sign, whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(String(number)) ?? []
  const digits = whole + fraction
  let first = 0
  while (digits[first] === '0') first++
  let end = digits.length
  while (end > first && digits[end - 1] === '0') end--
  if (first === end) return '0'
  return `${sign}${digits.slice(first, end)}e${Number(exponent ?? 0) + whole.length - end}`
}
