import { cutText } from '../core/cut-text.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'

/** No error of ours costs more tokens, as the JSON it is sent in. */
const MAX_ERROR_TOKENS = 2_000
/** What an agent is told in between: how far a task is, and what it asks. */
const MAX_MESSAGE_TOKENS = 500
const LEAST_TEXT_TOKENS = 25

/** The error with its texts, and if need be its data, cut until it is within the limit. */
export function boundedError<Body extends object>(error: Body): Body {
  const body = error as unknown as JsonObject
  const json = jsonOf(body)
  if (json !== undefined && fits(json)) return error
  return (shortened(body) ?? withoutLists(body)) as unknown as Body
}

/** With shorter texts, where that is enough. Not where it is nested deeper than the engine's stack. */
function shortened(body: JsonObject): JsonObject | undefined {
  try {
    for (let most = MAX_ERROR_TOKENS / 2; most >= LEAST_TEXT_TOKENS; most /= 2) {
      const shorter = withShortTexts(body, most)
      if (fits(JSON.stringify(shorter))) return shorter
    }
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** What a handler says of its progress, or asks. */
export function boundedMessage(message: string): string {
  return cutToTokens(message, MAX_MESSAGE_TOKENS)
}

function fits(json: string): boolean {
  return countAtMost(json, MAX_ERROR_TOKENS).complete
}

function jsonOf(value: JsonValue): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function withShortTexts(value: JsonObject, most: number): JsonObject
function withShortTexts(value: JsonValue, most: number): JsonValue
function withShortTexts(value: JsonValue, most: number): JsonValue {
  if (typeof value === 'string') return cutToTokens(value, most)
  if (Array.isArray(value)) return value.map(item => withShortTexts(item, most))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withShortTexts(item, most)]))
}

/** It is not the texts that are long: lists and objects stay as the beginning of their JSON. */
function withoutLists(body: JsonObject): JsonObject {
  const most = MAX_ERROR_TOKENS / 8
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      typeof value === 'object'
        ? cutToTokens(jsonOf(value) ?? '(nested too deep to be shown)', most)
        : withShortTexts(value, most),
    ]),
  )
}

function cutToTokens(text: string, most: number): string {
  const { length, complete } = countAtMost(text, most)
  return complete ? text : cutText(text, length)
}

/**
 * How much of a text certainly takes no more than so many tokens. An upper bound that needs no tokenizer: a token has
 * at least one byte, and words in small letters have far fewer tokens than letters.
 */
function countAtMost(text: string, most: number): { length: number; complete: boolean } {
  let tokens = 0
  for (let at = 0; at < text.length; at++) {
    tokens += tokensOf(text.charCodeAt(at))
    if (tokens > most) return { length: at, complete: false }
  }
  return { length: text.length, complete: true }
}

const SPACE = 0x20
const A = 0x61
const Z = 0x7a

function tokensOf(unit: number): number {
  if (unit === SPACE || (unit >= A && unit <= Z)) return 0.6
  // Written as \u001b, or as \n.
  if (unit < SPACE) return 4
  if (unit < 0x80) return 1
  if (unit < 0x800) return 2
  // Half of a pair, or a character of its own.
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3
}
