import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'

/** What stands around the one text that a tool's result is. The text itself is stored as it is. */
export interface Envelope {
  /** The JSON of the result, with empty texts where that text stands. */
  readonly json: string
  /** Where that is. */
  readonly holes: ReadonlyArray<readonly string[]>
}

/** A larger envelope has no place beside an index. */
const LARGEST_ENVELOPE = 64 * 1024

/** A result without its text. Undefined: the text does not stand in it, or there is much beside it. */
export function envelopeOf(result: JsonObject, text: string): Envelope | undefined {
  const { emptied, holes } = emptyTexts(result, text)
  if (holes.length === 0) return undefined
  const json = stringifyJson(emptied)
  return json.length > LARGEST_ENVELOPE ? undefined : { json, holes }
}

/** The result again. */
export function fillEnvelope({ json, holes }: Envelope, text: string): JsonValue {
  const result = parseJson(json)
  for (const hole of holes) {
    let at = result as Record<string, JsonValue>
    for (const step of hole.slice(0, -1)) at = at[step] as Record<string, JsonValue>
    at[hole.at(-1) as string] = text
  }
  return result
}

/** A copy with an empty text wherever this one stands. */
function emptyTexts(result: JsonObject, text: string): { emptied: JsonValue; holes: string[][] } {
  const holes: string[][] = []
  const walk = (value: JsonValue, steps: string[]): JsonValue => {
    if (value === text) {
      holes.push(steps)
      return ''
    }
    if (steps.length === DEEPEST_HOLE) return value
    if (Array.isArray(value)) return value.map((item, at) => walk(item, [...steps, String(at)]))
    if (!isJsonObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, walk(member, [...steps, key])]),
    )
  }
  return { emptied: walk(result, []), holes }
}

/** `content/0/resource/text` */
const DEEPEST_HOLE = 4
