import { JsonTokens, skipSpace } from '../core/json-tokens.ts'
import type { Steps } from '../core/steps.ts'

const DEEPEST = 500
const CHARACTERS_PER_STEP = 4096

/** Whether a text begins and ends like a list or an object. @param end where the text is at hand in pieces, its last one */
export function looksLikeJson(text: string, end = text): boolean {
  const first = text[skipSpace(text, 0)]
  let at = end.length
  while (at > 0 && ' \n\r\t'.includes(end[at - 1] as string)) at--
  return (first === '[' && end[at - 1] === ']') || (first === '{' && end[at - 1] === '}')
}

/**
 * Whether reading a text as JSON loses nothing: no key is there twice, and none changes places.
 * @param text valid JSON
 * @param json the compact JSON of what it was read as
 */
export function* survivesParsing(text: string, json: string): Steps<boolean> {
  const tokens = new JsonTokens(text)
  const others = new JsonTokens(json)
  let depth = 0
  let reported = 0
  for (;;) {
    const kind = tokens.next()
    if (kind !== others.next()) return false
    if (kind === 'end') return true
    if (kind === '[' || kind === '{') depth++
    else if (kind === ']' || kind === '}') depth--
    else if (kind === 'word' && tokens.source !== others.source) return false
    else if (kind === 'string' && !isSameString(tokens.source, others.source)) return false
    if (depth > DEEPEST) return false
    if (tokens.end - reported < CHARACTERS_PER_STEP) continue
    yield (tokens.end - reported) / 4
    reported = tokens.end
  }
}

function isSameString(one: string, other: string): boolean {
  return one === other || JSON.parse(one) === JSON.parse(other)
}
