import type { JsonValue } from '../core/json.ts'
import { stringEnd } from '../core/json-text.ts'
import { paced, type Steps } from '../core/steps.ts'
import { type EmbeddedJson, Source } from './source.ts'

const QUOTE = 0x22
const DEEPEST = 500
const CHARACTERS_PER_STEP = 4096

/**
 * The list or object that a text is the JSON of, if reading it so loses nothing: no key twice, no number that
 * JavaScript holds as another (12345678901234567890, -0), no keys that would change places. Whitespace, escapes
 * and ways to write a number (1.0 is 1) do not matter.
 *
 * A preview may show any such text as its value. Pages promise more, that joined they are the text: they show it
 * as its value only where it is `spelledAlike`, so that pages of a file lose nothing but insignificant whitespace.
 */
export function embeddedJson(source: Source): Promise<EmbeddedJson | undefined> {
  return source.remember(source.embedded, 'embedded', async () => {
    const text = source.value
    if (typeof text !== 'string' || !looksLikeJson(text)) return undefined
    const read = readJson(text)
    if (read === undefined) return undefined
    const likeness = await paced(compare(text, read.json))
    if (likeness === 'other') return undefined
    return { source: new Source(read.value, read.json), spelledAlike: likeness === 'spelled alike' }
  })
}

function looksLikeJson(text: string): boolean {
  const first = text[afterSpace(text, 0)]
  let end = text.length
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--
  return (first === '[' && text[end - 1] === ']') || (first === '{' && text[end - 1] === '}')
}

function readJson(text: string): { value: JsonValue; json: string } | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    return { value, json: JSON.stringify(value) }
  } catch {
    // Not JSON, or nested deeper than the engine's stack.
    return undefined
  }
}

type Likeness = 'spelled alike' | 'same value' | 'other'

/** Walks through a valid JSON text and the compact JSON of what it was read as. */
function* compare(text: string, json: string): Steps<Likeness> {
  let likeness: Likeness = 'spelled alike'
  let depth = 0
  let reported = 0
  let at = afterSpace(text, 0)
  for (let other = 0; other < json.length; at = afterSpace(text, at)) {
    if (at - reported > CHARACTERS_PER_STEP) {
      yield (at - reported) / 4
      reported = at
    }
    const end = tokenEnd(text, at)
    const otherEnd = tokenEnd(json, other)
    const token = text.slice(at, end)
    const otherToken = json.slice(other, otherEnd)
    if (token !== otherToken) {
      if (!sameScalar(token, otherToken)) return 'other'
      likeness = 'same value'
    }
    if (token === '[' || token === '{') depth++
    if (token === ']' || token === '}') depth--
    if (depth > DEEPEST) return 'other'
    at = end
    other = otherEnd
  }
  return at === text.length ? likeness : 'other'
}

/** The end of the string, number, word or single mark that starts here. */
function tokenEnd(text: string, start: number): number {
  if (text.charCodeAt(start) === QUOTE) return stringEnd(text, start)
  let end = start
  while (isWordUnit(text.charCodeAt(end))) end++
  return Math.max(end, start + 1)
}

/** Letters, digits, signs and points: what numbers, true, false and null are written with. */
function isWordUnit(unit: number): boolean {
  const letter = unit | 0x20
  if (letter >= 0x61 && letter <= 0x7a) return true
  return (unit >= 0x30 && unit <= 0x39) || unit === 0x2b || unit === 0x2d || unit === 0x2e
}

function sameScalar(token: string, other: string): boolean {
  if (token[0] === '"' && other[0] === '"') return JSON.parse(token) === JSON.parse(other)
  const number = decimal(token)
  return number !== undefined && number === decimal(other)
}

/** One spelling for each decimal number: 1.0, 1 and 10e-1 become the same text. -0 is not 0. */
function decimal(token: string): string | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token)
  if (parts === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  const digits = whole + fraction
  let first = 0
  while (digits[first] === '0') first++
  let last = digits.length
  while (last > first && digits[last - 1] === '0') last--
  if (first === last) return `${sign}0`
  const power = Number(exponent) - fraction.length + digits.length - last
  return `${sign}${digits.slice(first, last)}e${power}`
}

function afterSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09
}
