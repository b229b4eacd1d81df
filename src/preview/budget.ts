import { isJsonObject, type JsonValue } from '../core/json.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import type { Steps } from '../core/steps.ts'
import type { Ruler } from './measure.ts'

const MOST_ATTEMPTS = 12
/** A preview that uses this much of its budget needs no further attempt. */
const GOOD_USE = 0.95
/** Aimed at, so that a small misjudgement does not end above the budget. */
const AIM = 0.98

/** JSON of a preview within the budget, and its size. */
export interface Fitted {
  json: string
  size: number
}

/** What is made smaller. */
export interface Shrinkable {
  readonly value: JsonValue
  readonly json: string
}

/** Makes JSON of a value that takes about so many characters. */
export type Shrink = (room: number) => Steps<string>

/**
 * The preview that makes the most of a budget. Shrinking goes by characters; how many characters the budget
 * holds is found by measuring what comes out.
 */
export function* fitBudget(
  { value, json }: Shrinkable,
  shrink: Shrink,
  ruler: Ruler,
  maxSize: number,
): Steps<Fitted> {
  const whole = yield* ruler.size(json, maxSize)
  if (whole <= maxSize) return { json, size: whole }
  return yield* fitShrunk({ value, length: json.length }, shrink, ruler, maxSize)
}

/** The same for what must be shrunk in any case: a sample of something larger. `length`: about the most that could be shown. */
export function* fitShrunk(
  { value, length }: { readonly value: JsonValue; readonly length: number },
  shrink: Shrink,
  ruler: Ruler,
  maxSize: number,
): Steps<Fitted> {
  let best = yield* smallest(value, ruler, maxSize)
  let low = 0
  let high = length
  let room = Math.min(high, Math.ceil(maxSize * ruler.usualUnit))
  let inVain = 0
  for (let attempt = 0; attempt < MOST_ATTEMPTS && low + 1 < high && inVain < 2; attempt++) {
    const shown = ordered(yield* shrink(room))
    // More room shows no more: the rest lies too deep.
    inVain = shown === best.json ? inVain + 1 : 0
    const size = yield* ruler.size(shown, 4 * maxSize)
    if (size <= maxSize) {
      if (size >= best.size) best = { json: shown, size }
      if (size >= GOOD_USE * maxSize) break
      low = room
    } else high = room
    room = nextRoom(low, high, (room * AIM * maxSize) / size)
  }
  return best
}

/** The room asked for, or as near to it as keeps the search closing in. */
function nextRoom(low: number, high: number, asked: number): number {
  const margin = Math.max(1, Math.floor(Math.min(high - low, low) / 16))
  return Math.max(low + margin, Math.min(high - margin, Math.round(asked)))
}

/** As it will be when it is read and written again: keys that are numbers come first, of equal keys the last counts. */
function ordered(json: string): string {
  return stringifyJson(parseJson(json))
}

/** What is within any budget. A lone digit is the only JSON of one character. */
function* smallest(value: JsonValue, ruler: Ruler, maxSize: number): Steps<Fitted> {
  for (const json of ['"…"', emptyOf(value), '0']) {
    const size = yield* ruler.size(json)
    if (size <= maxSize) return { json, size }
  }
  return { json: '0', size: 1 }
}

function emptyOf(value: JsonValue): string {
  if (typeof value === 'string') return '""'
  if (Array.isArray(value)) return '[]'
  return isJsonObject(value) ? '{}' : 'null'
}
