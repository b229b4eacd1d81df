import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { stepsOfPointer } from '../../core/part.ts'
import { isCallResult, valueOfResult } from '../../values/call-result.ts'
import { takePart } from '../../values/pointer.ts'
import type { AskSettings, Condition, Given, Place } from './settings.ts'

/** Looks into answers of tools: results of calls, in whatever form they say what they say. */

/** What stands at a place, or undefined. */
export function find(answer: JsonObject, place: Place): JsonValue | undefined {
  if (typeof place !== 'string') return wordAfter(answer, place.after)
  if (!isCallResult(answer)) return undefined
  const { value, forms } = valueOfResult(answer)
  try {
    return takePart({ value, forms, result: answer }, { kind: 'pointer', steps: stepsOfPointer(place) })
  } catch {
    return undefined
  }
}

/** The same, as words for people: all of the line, where it is found in a text. */
export function findWords(answer: JsonObject, place: Place): string | undefined {
  const found = typeof place === 'string' ? find(answer, place) : lineAfter(answer, place.after)
  if (found === undefined || found === null || found === '') return undefined
  return typeof found === 'string' ? found : stringifyJson(found)
}

/** The same, as a number: also of a text that begins with one, such as `3/10` or `45%`. */
export function findNumber(answer: JsonObject, place: Place): number | undefined {
  const found = find(answer, place)
  const number = typeof found === 'string' ? Number.parseFloat(found) : Number(found ?? Number.NaN)
  return Number.isFinite(number) ? number : undefined
}

export function holds(answer: JsonObject, { at, is }: Condition): boolean {
  const found = find(answer, at)
  if (is) return is.some(one => one === found || (typeof found !== 'object' && String(one) === String(found)))
  return found !== undefined && found !== null && found !== false && found !== ''
}

/** What a tool is asked with; undefined where an argument stands nowhere. @param answers the latest first */
export function argumentsFor(
  { arguments: wanted }: AskSettings,
  answers: readonly JsonObject[],
  own: JsonValue | undefined,
): JsonObject | undefined {
  const filled: Record<string, JsonValue> = {}
  for (const [name, given] of Object.entries(wanted)) {
    const value = lookUp(given, answers, own)
    if (value === undefined) return undefined
    filled[name] = value
  }
  return filled
}

function lookUp(
  given: Given,
  answers: readonly JsonObject[],
  own: JsonValue | undefined,
): JsonValue | undefined {
  if (typeof given === 'object' && 'value' in given) return given.value
  if (typeof given === 'object' && 'argument' in given) return memberAt(own, given.argument)
  for (const answer of answers) {
    const found = find(answer, given)
    if (found !== undefined) return found
  }
  return undefined
}

function memberAt(own: JsonValue | undefined, pointer: string): JsonValue | undefined {
  let at = own
  for (const step of stepsOfPointer(pointer)) {
    if (Array.isArray(at)) at = at[Number(step)]
    else at = isJsonObject(at) && Object.hasOwn(at, step) ? at[step] : undefined
  }
  return at
}

function lineAfter({ content }: JsonObject, words: string): string | undefined {
  for (const block of Array.isArray(content) ? content : []) {
    const text = isJsonObject(block) && typeof block.text === 'string' ? block.text : ''
    const at = text.indexOf(words)
    if (at >= 0)
      return text
        .slice(at + words.length)
        .trimStart()
        .split('\n', 1)[0]
        ?.trim()
  }
  return undefined
}

/** Up to white space, without the quotes and stops around it. */
function wordAfter(answer: JsonObject, words: string): string | undefined {
  const word = lineAfter(answer, words)?.split(/[\s,;]/, 1)[0]
  return word?.replace(/^["'`<(]+|["'`>).!]+$/g, '') || undefined
}
