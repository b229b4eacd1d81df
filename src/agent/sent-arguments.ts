import { ExactNumber } from '../core/exact-number.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { parseJson } from '../core/json-text.ts'

/**
 * The arguments as they were meant, by the schema of the tool: models send numbers and booleans as text, `null` for
 * what they leave out, and put quotes, backticks or angle brackets around references. What cannot be understood stays
 * as it is, for the schema to refuse.
 */
export function readSentArguments(schema: JsonObject, args: unknown): unknown {
  if (!isJsonObject(args as JsonValue)) return args ?? {}
  const properties = objectAt(schema, 'properties')
  const meant = Object.entries(args as JsonObject).map(([name, value]): [string, JsonValue] => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    return [name, isJsonObject(property) ? readValue(property, name, value) : value]
  })
  return Object.fromEntries(meant.filter(([, value]) => value !== null))
}

/** Words that models send in the place of nothing. */
const NOTHING = /^(?:null|none|undefined)?$/i

function readValue(property: JsonObject, name: string, value: JsonValue): JsonValue {
  if (property.type === 'array') return readList(property, name, value)
  if (property.type === 'string' && !Array.isArray(property.enum)) {
    return typeof value === 'string' ? readText(name, value) : value
  }
  if (typeof value === 'number' && isBoolean(property)) return readFlag(String(value)) ?? value
  if (typeof value !== 'string') return value
  const text = unquoted(value)
  if (NOTHING.test(text)) return null
  if (isBoolean(property)) return readFlag(text) ?? value
  if (Array.isArray(property.enum)) return readChoice(property.enum, text) ?? value
  return isNumber(property) && Number.isFinite(Number(text)) ? Number(text) : value
}

function isBoolean({ type, const: only }: JsonObject): boolean {
  return type === 'boolean' || typeof only === 'boolean'
}

function isNumber({ type }: JsonObject): boolean {
  return type === 'integer' || type === 'number'
}

const FLAGS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

function readFlag(text: string): boolean | undefined {
  return FLAGS.get(text.toLowerCase())
}

function readChoice(choices: readonly JsonValue[], text: string): JsonValue | undefined {
  return choices.find(choice => choice === text) ?? choices.find(choice => choice === text.toLowerCase())
}

/** References and cursors are ours, and never have such characters at their ends; other texts are the caller's own. */
function readText(name: string, value: string): string | null {
  if (name === 'cursor') return unquoted(value) || null
  return name === 'ref_id' ? unquoted(value) : value
}

/** A list as JSON text, or one item in the place of a list of one. */
function readList(property: JsonObject, name: string, value: JsonValue): JsonValue {
  const items = typeof value === 'string' ? readListText(value) : value
  if (!Array.isArray(items)) return items
  const item = objectAt(property, 'items')
  return items.map(one => readValue(item, name, one))
}

function readListText(text: string): JsonValue {
  if (NOTHING.test(unquoted(text))) return null
  try {
    const parsed = JSON.parse(text) as JsonValue
    return Array.isArray(parsed) ? parsed : [text]
  } catch {
    return [text]
  }
}

const QUOTES_BEFORE = /^[\s"'`<“‘«]+/u
const QUOTES_AFTER = /[\s"'`>”’»]+$/u

function unquoted(text: string): string {
  // A reference is short. Of a long text nobody wants to know where it ends.
  return text.length > MAX_QUOTED ? text : text.replace(QUOTES_BEFORE, '').replace(QUOTES_AFTER, '')
}

const MAX_QUOTED = 512

function objectAt(value: JsonObject, name: string): JsonObject {
  const found = value[name]
  return isJsonObject(found) ? found : {}
}

/**
 * Arguments for a tool of somebody else: a number, a list or an object that came as its JSON text, where the schema wants it and no text.
 * All else is for the tool to judge.
 */
export function withMeantTypes(schema: JsonObject | undefined, args: unknown): unknown {
  if (!isJsonObject(args as JsonValue)) return args
  const sent = args as JsonObject
  if (!schema || !Object.values(sent).some(value => typeof value === 'string')) return args
  const properties = objectAt(schema, 'properties')
  return Object.fromEntries(
    Object.entries(sent).map(([name, value]): [string, JsonValue] => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined
      return [name, typeof value === 'string' && isJsonObject(property) ? meant(property, value) : value]
    }),
  )
}

function meant({ type }: JsonObject, text: string): JsonValue {
  const types: readonly JsonValue[] = Array.isArray(type) ? type : [type ?? 'string']
  if (types.includes('string') || text.length > MAX_SENT) return text
  let value: JsonValue
  try {
    value = parseJson(text)
  } catch {
    return text
  }
  return types.some(one => isOfType(value, one)) ? value : text
}

/** A longer text is no list that a model wrote out. */
const MAX_SENT = 1_000_000

function isOfType(value: JsonValue, type: JsonValue): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isJsonObject(value)
  if (type === 'integer') return Number.isInteger(Number(value)) && isNumeric(value)
  return type === 'number' && isNumeric(value)
}

function isNumeric(value: JsonValue): boolean {
  return typeof value === 'number' || (value as unknown) instanceof ExactNumber
}
