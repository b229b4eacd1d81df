import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'

export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object'

const TYPES: ReadonlySet<string> = new Set<JsonType>([
  'string',
  'number',
  'integer',
  'boolean',
  'null',
  'array',
  'object',
])

/** Other people's schemas can refer to themselves, and branch without end. */
const MAX_STEPS = 1_000

/**
 * The types that a JSON Schema admits at a place of its value. Undefined: any, or too hard to tell.
 *
 * @param path names of members and positions in lists
 */
export function typesAt(
  schema: JsonObject,
  path: ReadonlyArray<string | number>,
): ReadonlySet<JsonType> | undefined {
  const reader = new SchemaReader()
  let nodes = [nodeOf(schema, schema)]
  for (const step of path) nodes = reader.children(nodes, step)
  const types = reader.union(nodes)
  return reader.gaveUp || types?.size === 0 ? undefined : types
}

type Types = Set<JsonType> | undefined

/** A schema, and the one that its `$ref` are in. */
interface Node {
  readonly schema: JsonValue
  readonly root: JsonValue
}

const ANY: Node = { schema: true, root: true }

/** A schema with an identity is the root of its own references. */
function nodeOf(schema: JsonValue, root: JsonValue): Node {
  return { schema, root: isJsonObject(schema) && typeof schema.$id === 'string' ? schema : root }
}

class SchemaReader {
  #steps = 0

  get gaveUp(): boolean {
    return this.#steps > MAX_STEPS
  }

  /** What any of the schemas admits. */
  union(nodes: readonly Node[]): Types {
    const all = new Set<JsonType>()
    for (const node of nodes) {
      const types = this.#typesOf(node)
      if (!types) return undefined
      for (const type of types) all.add(type)
    }
    return all
  }

  /** The schemas of a member or an item; that of all values where nothing is said of it. */
  children(nodes: readonly Node[], step: string | number): Node[] {
    const found = nodes.flatMap(node => this.#declared(node, step))
    return found.length === 0 ? [ANY] : found
  }

  #typesOf({ schema, root }: Node): Types {
    if (++this.#steps > MAX_STEPS || !isJsonObject(schema)) return undefined
    const below = (list: JsonValue | undefined) => listOf(list).map(part => nodeOf(part, root))
    let types = ownTypes(schema)
    for (const part of [...targetsOf(schema, root), ...below(schema.allOf)]) {
      types = both(types, this.#typesOf(part))
    }
    for (const choices of [below(schema.anyOf), below(schema.oneOf)]) {
      if (choices.length > 0) types = both(types, this.union(choices))
    }
    return types
  }

  #declared({ schema, root }: Node, step: string | number): Node[] {
    if (++this.#steps > MAX_STEPS || !isJsonObject(schema)) return []
    const parts = [schema.allOf, schema.anyOf, schema.oneOf].flatMap(listOf)
    const branches = [...targetsOf(schema, root), ...parts.map(part => nodeOf(part, root))]
    return [
      ...ownChild(schema, step).map(child => nodeOf(child, root)),
      ...branches.flatMap(branch => this.#declared(branch, step)),
    ]
  }
}

/** What `$ref` points to within the same root. */
function targetsOf({ $ref }: JsonObject, root: JsonValue): Node[] {
  if (typeof $ref !== 'string') return []
  const id = isJsonObject(root) ? root.$id : undefined
  const own = typeof id === 'string' && $ref.startsWith(`${id}#`) ? $ref.slice(id.length) : $ref
  if (!/^#(\/|$)/.test(own)) return []
  let at: JsonValue | undefined = root
  for (const step of own.split('/').slice(1)) {
    const name = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(at)) at = at[Number(name)]
    else at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }
  return at === undefined ? [ANY] : [nodeOf(at, root)]
}

function ownTypes(schema: JsonObject): Types {
  const { type, const: only, enum: choices, nullable } = schema
  const named = (typeof type === 'string' ? [type] : listOf(type)).filter(isType)
  const types = named.length > 0 ? new Set(named) : impliedTypes(schema)
  const values = only === undefined ? listOf(choices) : [only]
  const told = both(types, values.length > 0 ? new Set(values.map(typeOf)) : undefined)
  // A keyword of OpenAPI that many servers use.
  return told && nullable === true ? told.add('null') : told
}

const OF_OBJECTS = ['properties', 'patternProperties', 'additionalProperties', 'required']
const OF_LISTS = ['items', 'prefixItems']

/** A schema that speaks of members or items and names no type means an object or a list, though it says so of none else. */
function impliedTypes(schema: JsonObject): Types {
  const speaksOf = (keywords: string[]) => keywords.some(keyword => Object.hasOwn(schema, keyword))
  const types: JsonType[] = [
    ...(speaksOf(OF_OBJECTS) ? ['object' as const] : []),
    ...(speaksOf(OF_LISTS) ? ['array' as const] : []),
  ]
  return types.length > 0 ? new Set(types) : undefined
}

function ownChild(schema: JsonObject, step: string | number): JsonValue[] {
  if (typeof step === 'number') {
    const tuple = listOf(schema.prefixItems ?? schema.items)
    const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items
    const item = step < tuple.length ? tuple[step] : rest
    return item === undefined ? [] : [item]
  }
  const { properties, patternProperties, additionalProperties } = schema
  if (isJsonObject(properties) && Object.hasOwn(properties, step)) return [properties[step] as JsonValue]
  const others = isJsonObject(additionalProperties) ? [additionalProperties] : []
  if (!isJsonObject(patternProperties)) return others
  // The server's own expressions are not run here: any of them may be meant.
  const isClosed = additionalProperties === false || others.length > 0
  return isClosed ? [...Object.values(patternProperties), ...others] : []
}

function typeOf(value: JsonValue): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (isJsonObject(value)) return 'object'
  if (typeof value === 'string') return 'string'
  return typeof value === 'boolean' ? 'boolean' : 'number'
}

/** What both admit. An integer is a number. */
function both(one: Types, other: Types): Types {
  if (!one || !other) return one ?? other
  const common = new Set([...one].filter(type => other.has(type)))
  const integers = [one, other].some(types => types.has('integer'))
  if (integers && [one, other].every(types => types.has('integer') || types.has('number'))) {
    common.add('integer')
  }
  return common
}

function isType(type: JsonValue): type is JsonType {
  return typeof type === 'string' && TYPES.has(type)
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : []
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
