import { parsedJson } from './equal-json.ts'
import type { JsonType } from './schema-types.ts'

/** A value on its way into an argument, as JSON. */
export interface ArgumentValue {
  readonly json: string
  /** What a text argument gets, where the value is no text. @defaultValue `json` */
  readonly text?: string
  /** Other forms of the same value, as JSON. */
  readonly forms?: readonly string[]
}

/**
 * The JSON of a value as an argument wants it. A text argument gets a text byte for byte, and anything else as JSON; any
 * other one gets the JSON value, also where that came as a text. Undefined: there is no such form.
 */
export function jsonForArgument(
  { json, text, forms = [] }: ArgumentValue,
  wanted: ReadonlySet<JsonType>,
): string | undefined {
  if (admits(wanted, json)) return json
  const form = forms.find(one => typeOfJson(one) !== 'string' && admits(wanted, one))
  if (form !== undefined) return form
  if (typeOfJson(json) === 'string') {
    const inner = JSON.parse(json) as string
    const parsed = parsedJson(inner)
    if (parsed !== undefined && admits(wanted, inner.trim())) return inner.trim()
  }
  return wanted.has('string') ? JSON.stringify(text ?? json) : undefined
}

/** Whether a value of this JSON may stand there. */
export function admits(wanted: ReadonlySet<JsonType>, json: string): boolean {
  const type = typeOfJson(json)
  if (type !== 'number') return wanted.has(type)
  return wanted.has('number') || (wanted.has('integer') && Number.isInteger(Number(json)))
}

/** By its first character. */
export function typeOfJson(json: string): JsonType {
  switch (json[0]) {
    case '"':
      return 'string'
    case '{':
      return 'object'
    case '[':
      return 'array'
    case 't':
    case 'f':
      return 'boolean'
    case 'n':
      return 'null'
    default:
      return 'number'
  }
}
