import { stringEnd } from '../core/json-text.ts'
import type { Steps } from '../core/steps.ts'

const QUOTE = 0x22
const DEEPEST = 500
const CHARACTERS_PER_STEP = 4096

/** Whether a text begins and ends like a list or an object. */
export function looksLikeJson(text: string): boolean {
  const first = text[afterSpace(text, 0)]
  let end = text.length
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--
  return (first === '[' && text[end - 1] === ']') || (first === '{' && text[end - 1] === '}')
}

/**
 * Whether reading a text as JSON loses nothing: no key is there twice, and none changes places.
 * @param text valid JSON
 * @param json the compact JSON of what it was read as
 */
export function* isAlike(text: string, json: string): Steps<boolean> {
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
    if (token !== otherToken && !isSameString(token, otherToken)) return false
    if (token === '[' || token === '{') depth++
    if (token === ']' || token === '}') depth--
    if (depth > DEEPEST) return false
    at = end
    other = otherEnd
  }
  return at === text.length
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

function isSameString(token: string, other: string): boolean {
  return token[0] === '"' && other[0] === '"' && JSON.parse(token) === JSON.parse(other)
}

function afterSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09
}
