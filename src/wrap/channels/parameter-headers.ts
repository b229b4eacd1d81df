import { ExactNumber } from '../../core/exact-number.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/**
 * Parameters of a tool that are sent as HTTP headers as well, so that what stands between client and server can route by them
 * (2026-07-28, Streamable HTTP: Custom Headers from Tool Parameters).
 */

/** A parameter that the tool wants to see as `Mcp-Param-<name>`. */
export interface ParameterHeader {
  readonly name: string
  /** Keys from the arguments to the value. */
  readonly path: readonly string[]
}

const KEYWORD = 'x-mcp-header'
/** RFC 9110, `token`. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
const TYPES = ['string', 'integer', 'boolean']
const MAX_SHOWN = 100

/** The way from the arguments to a value, from its end: schemas may be nested deep. */
interface Path {
  readonly key: string
  readonly parent: Path | undefined
}

/** The headers that a tool's input schema declares, or what is wrong with one: then clients must not show the tool. */
export function parameterHeadersIn(
  inputSchema: JsonValue | undefined,
): { readonly headers: readonly ParameterHeader[] } | { readonly problem: string } {
  const headers: ParameterHeader[] = []
  const names = new Set<string>()
  const open: Array<{ schema: JsonValue; path: Path | undefined; isArgument: boolean }> = []
  if (inputSchema !== undefined) open.push({ schema: inputSchema, path: undefined, isArgument: true })
  for (let next = open.pop(); next; next = open.pop()) {
    const { schema, path, isArgument } = next
    if (!isJsonObject(schema)) continue
    if (Object.hasOwn(schema, KEYWORD)) {
      const fault = faultOf(schema, isArgument && path !== undefined, names)
      const keys = keysOf(path)
      if (fault) return { problem: `${shorten(keys.join('.') || 'the schema')}: ${KEYWORD} ${fault}` }
      names.add(`${schema[KEYWORD]}`.toLowerCase())
      headers.push({ name: `${schema[KEYWORD]}`, path: keys })
    }
    for (const [key, child] of properties(schema)) {
      open.push({ schema: child, path: { key, parent: path }, isArgument })
    }
    for (const child of subschemas(schema)) open.push({ schema: child, path, isArgument: false })
  }
  return { headers }
}

function keysOf(path: Path | undefined): string[] {
  const keys: string[] = []
  for (let at = path; at; at = at.parent) keys.push(at.key)
  return keys.reverse()
}

function faultOf(
  { [KEYWORD]: name, type }: JsonObject,
  isArgument: boolean,
  names: ReadonlySet<string>,
): string | undefined {
  if (!isArgument) return 'is for parameters alone that are reached through properties.'
  if (typeof name !== 'string' || !TOKEN.test(name)) return 'is no name of a header.'
  if (typeof type !== 'string' || !TYPES.includes(type)) return 'is for strings, integers and booleans alone.'
  if (names.has(name.toLowerCase())) return `names '${shorten(name)}' twice.`
  return undefined
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

function properties({ properties }: JsonObject): Array<[string, JsonValue]> {
  return isJsonObject(properties) ? Object.entries(properties) : []
}

const WITH_SCHEMA = [
  ...['items', 'contains', 'additionalProperties', 'unevaluatedProperties', 'unevaluatedItems'],
  ...['propertyNames', 'not', 'if', 'then', 'else'],
]
const WITH_LIST = ['prefixItems', 'items', 'oneOf', 'anyOf', 'allOf']
const WITH_NAMED = ['patternProperties', 'dependentSchemas', '$defs', 'definitions']

/** Where schemas stand that tell of no one parameter. */
function subschemas(schema: JsonObject): JsonValue[] {
  const at = (keyword: string): JsonValue => schema[keyword] ?? null
  return [
    ...WITH_SCHEMA.map(at),
    ...WITH_LIST.flatMap(keyword => {
      const list = at(keyword)
      return Array.isArray(list) ? list : []
    }),
    ...WITH_NAMED.flatMap(keyword => {
      const named = at(keyword)
      return isJsonObject(named) ? Object.values(named) : []
    }),
  ]
}

/** The headers of one call. A parameter that is absent or null has none, nor has one that no header can carry. */
export function parameterHeadersOf(
  headers: readonly ParameterHeader[],
  args: JsonValue | undefined,
): Record<string, string> {
  return Object.fromEntries(
    headers.flatMap(({ name, path }) => {
      const text = textOf(valueAt(args, path))
      return text === undefined ? [] : [[`Mcp-Param-${name}`, asHeaderValue(text)]]
    }),
  )
}

function valueAt(args: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = args
  for (const key of path) {
    value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

/** Integers that are no double are left out: servers could not compare them. */
function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  const isNumber = typeof value === 'number' || (value as unknown) instanceof ExactNumber
  const number = isNumber ? Number(value) : Number.NaN
  if (!Number.isFinite(number)) return undefined
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? undefined : String(number)
}

/** A text as the value of a header: as it is where HTTP can carry it, else its UTF-8 in Base64, marked as such. */
function asHeaderValue(text: string): string {
  const isPlain = /^[\t\x20-\x7e]+$/.test(text) && text === text.trim() && !/^=\?base64\?.*\?=$/.test(text)
  return isPlain ? text : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`
}
