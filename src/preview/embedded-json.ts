import type { JsonValue } from '../core/json.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { paced } from '../core/steps.ts'
import { looksLikeJson, survivesParsing } from '../values/survives-parsing.ts'
import { Source } from './source.ts'

/**
 * The list or object that a text is the JSON of, if reading it so loses nothing: no key twice, no keys that would change places.
 * Numbers keep their digits; whitespace and the way that characters are escaped do not matter.
 */
export async function embeddedJson({ value: text }: Source): Promise<Source | undefined> {
  if (typeof text !== 'string' || !looksLikeJson(text)) return undefined
  const read = readJson(text)
  if (read === undefined) return undefined
  return (await paced(survivesParsing(text, read.json))) ? new Source(read.value, read.json) : undefined
}

function readJson(text: string): { value: JsonValue; json: string } | undefined {
  try {
    const value = parseJson(text)
    return { value, json: stringifyJson(value) }
  } catch {
    // Not JSON.
    return undefined
  }
}
