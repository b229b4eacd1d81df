import * as z from 'zod'
import { InvalidArgument } from '../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import { withMeantTypes } from './sent-arguments.ts'

/** A schema that an author declares with a tool: it validates, and can say itself in JSON Schema (standardschema.dev). */
export interface AuthorSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchema<Input, Output>['~standard'] & {
    readonly jsonSchema: {
      input(options: { readonly target: string }): Record<string, unknown>
      output(options: { readonly target: string }): Record<string, unknown>
    }
  }
}

type TypesOf<Schema extends AuthorSchema> = NonNullable<Schema['~standard']['types']>

/** What an author's code gets of what was sent. */
export type OutputOf<Schema extends AuthorSchema> = TypesOf<Schema>['output']

/** What an author's code may give. */
export type InputOf<Schema extends AuthorSchema> = TypesOf<Schema>['input']

/** The fields of a zod object, as the SDK's own `registerTool` takes them: `{ site: z.string() }`. */
export type RawShape = Readonly<Record<string, z.ZodType>>

/** Made once: over HTTP the tools are registered for every request. */
const shapes = new WeakMap<object, AuthorSchema>()

/** A schema as its author gave it. What is neither a schema nor the fields of one is left for `converterOf` to refuse. */
export function toSchema(given: AuthorSchema | RawShape | undefined): AuthorSchema | undefined {
  if (!isRawShape(given)) return given
  const known = shapes.get(given) ?? (z.object(given) as unknown as AuthorSchema)
  shapes.set(given, known)
  return known
}

function isRawShape(given: AuthorSchema | RawShape | undefined): given is RawShape {
  if (typeof given !== 'object' || given === null || '~standard' in given) return false
  return Object.values(given).every(field => typeof field === 'object' && field !== null && '_zod' in field)
}

/**
 * What clients are shown, while anything passes: for arguments that are checked behind the SDK, so that a bad one
 * gets a coded error, and for answers, which are right by construction. Converted only when somebody asks.
 */
export function declared(jsonSchema: () => JsonObject): AuthorSchema {
  return {
    '~standard': {
      version: 1,
      vendor: 'mcp-refcache',
      validate: value => ({ value }),
      jsonSchema: { input: jsonSchema, output: jsonSchema },
    },
  }
}

/**
 * How an author's schema becomes JSON Schema, in the dialect that the SDK shows to clients.
 * @throws InvalidArgument, at once, when it cannot
 */
export function converterOf(schema: AuthorSchema, side: 'input' | 'output', what: string): () => JsonObject {
  const target = 'draft-2020-12'
  const standard = (schema as Partial<AuthorSchema>)['~standard']
  if (!standard) {
    throw new InvalidArgument(
      `${what} must be a Standard Schema, such as z.object({ … }), or the fields of one with zod 4. Convert a JSON Schema with fromJsonSchema of @modelcontextprotocol/server, or jsonSchemaAdapter of fastmcp.`,
    )
  }
  if (standard.jsonSchema) return () => standard.jsonSchema[side]({ target }) as JsonObject
  if ('_zod' in schema) {
    return () => z.toJSONSchema(schema as unknown as z.ZodType, { target, io: side }) as JsonObject
  }
  throw new InvalidArgument(
    `${what} cannot be shown as JSON Schema: its library (${standard.vendor}) does not offer that by itself. ${CONVERTERS[standard.vendor] ?? 'Write it as JSON Schema'}, or use fromJsonSchema of @modelcontextprotocol/server, or jsonSchemaAdapter of fastmcp.`,
  )
}

/** What makes the schemas of a library show themselves. */
const CONVERTERS: Readonly<Record<string, string>> = {
  zod: "Import z from 'zod/v4'",
  valibot: 'Wrap it in toStandardJsonSchema of @valibot/to-json-schema',
}

/**
 * The schema of the structured content that a tool with the result schema `result` can answer with: the result itself,
 * or a reference to it (whole, a preview, or a handle), which always says `is_async`. Models are shown it: it is short.
 * Errors have no structured content there.
 */
export function answerSchema(result: JsonObject): JsonObject {
  const { $schema, type, ...body } = result
  const isObject = type === 'object'
  const own = isObject || type === undefined ? body : { type, ...body }
  return {
    ...($schema === undefined ? {} : { $schema }),
    type: 'object',
    anyOf: [rebased(own), { required: ['is_async'] }],
  }
}

const RESULT = '#/anyOf/0'

/** Keywords whose value is data: a `$ref` in there is no reference. */
const DATA_KEYWORDS = new Set(['const', 'enum', 'default', 'examples'])

/** Keywords whose value maps names to schemas: a name may read like a keyword. */
const NAMING_KEYWORDS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
])

/** The schema as it reads below `#/$defs/result`: its references to its own root follow it there. */
function rebased(schema: JsonObject): JsonObject {
  // A schema with an identity of its own is the root of its references wherever it stands.
  if ('$id' in schema) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]): [string, JsonValue] => {
      if (keyword === '$ref' && typeof value === 'string') return [keyword, rebasedReference(value)]
      if (DATA_KEYWORDS.has(keyword)) return [keyword, value]
      if (NAMING_KEYWORDS.has(keyword) && isJsonObject(value)) {
        return [keyword, Object.fromEntries(Object.entries(value).map(([name, v]) => [name, below(v)]))]
      }
      return [keyword, below(value)]
    }),
  )
}

function below(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(below)
  return isJsonObject(value) ? rebased(value) : value
}

function rebasedReference(reference: string): string {
  return reference === '#' || reference.startsWith('#/') ? RESULT + reference.slice(1) : reference
}

/** Says of a name whether the schema of a tool's arguments has it. Converted only when somebody asks. */
export function argumentsOf(schema: unknown): (name: string) => boolean {
  let shown: JsonObject | undefined
  return name => {
    if (schema === undefined) return false
    try {
      shown ??= converterOf(schema as AuthorSchema, 'input', 'It')()
    } catch {
      // Libraries that cannot say themselves in JSON Schema keep the names here.
      const { shape } = schema as { shape?: unknown }
      return typeof shape === 'object' && shape !== null && Object.hasOwn(shape, name)
    }
    return declaresArgument(shown, name)
  }
}

/** Reads what was sent for what the schema of a tool's arguments wants. Converted only when somebody sends a text. */
export function readerOf(schema: unknown): (args: unknown) => unknown {
  return args => {
    const hasText = typeof args === 'object' && args !== null && Object.values(args).some(isText)
    if (schema === undefined || !hasText) return args
    try {
      return withMeantTypes(converterOf(schema as AuthorSchema, 'input', 'It')(), args)
    } catch {
      // Its library cannot say it in JSON Schema.
      return args
    }
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** How deep a schema is looked through for the names of a tool's arguments. */
const MAX_SCHEMA_LEVELS = 5

/** Whether a JSON Schema of a tool's arguments names an argument, at the top or in what it is put together from. */
export function declaresArgument(schema: JsonValue | undefined, name: string): boolean {
  return declaresWithin(schema, name, schema, MAX_SCHEMA_LEVELS)
}

function declaresWithin(
  schema: JsonValue | undefined,
  name: string,
  root: JsonValue | undefined,
  levels: number,
): boolean {
  if (!isJsonObject(schema) || levels === 0) return false
  if (isJsonObject(schema.properties) && Object.hasOwn(schema.properties, name)) return true
  const parts = [schema.allOf, schema.anyOf, schema.oneOf].flatMap(list => (Array.isArray(list) ? list : []))
  return [...parts, localTarget(schema.$ref, root)].some(part => declaresWithin(part, name, root, levels - 1))
}

/** What `#/$defs/name` stands for. */
function localTarget(ref: JsonValue | undefined, root: JsonValue | undefined) {
  const [, list = '', name = ''] =
    typeof ref === 'string' ? (/^#\/(\$defs|definitions)\/([^/]+)$/.exec(ref) ?? []) : []
  const definitions = isJsonObject(root) ? root[list] : undefined
  return isJsonObject(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : undefined
}

/**
 * A schema of arguments in which a list or an object may be a reference, which is a text. A union of types in one keyword is what
 * strict clients take. What has to stand in a header is never one.
 */
export function admittingReferences(schema: JsonObject): JsonObject {
  const { properties } = schema
  if (!isJsonObject(properties)) return schema
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, admittingReference(property)]),
    ),
  }
}

function admittingReference(property: JsonValue): JsonValue {
  if (!isJsonObject(property) || (property.type !== 'array' && property.type !== 'object')) return property
  if ('x-mcp-header' in property || 'enum' in property || 'const' in property) return property
  return { ...property, type: [property.type, 'string'] }
}
