import * as z from 'zod'
import { cutText } from '../core/cut-text.ts'
import { InvalidArgument } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'
import { nearestFirst } from '../core/suggest.ts'
import type { ResponseFormat } from '../core/tool-options.ts'
import { admittingReferences } from './schema.ts'
import { readSentArguments } from './sent-arguments.ts'

/** What every tool accepts beside its own arguments. It never reaches the tool, its validation or its key. */
export const RESPONSE_FORMAT_ARGUMENT = '_async_response_format'
/** Runs the call anew, whatever is stored. A tool's own argument of that name goes before. */
export const FRESH_ARGUMENT = '_fresh'
/** Answers with a reference, whatever the size of the result. A tool's own argument of that name goes before. */
export const AS_REF_ARGUMENT = '_as_ref'

/** The schemas of those that a call may want, for clients that send only what is listed. */
export const RESERVED_PROPERTIES: JsonObject = {
  [FRESH_ARGUMENT]: { type: 'boolean' },
  [AS_REF_ARGUMENT]: { type: 'boolean' },
}

export interface ListedSchema {
  /** Whether a list or an object may be a reference, and its reader can be shown that. */
  readonly admitsReferences: boolean
  /** Whether our own arguments stand among those of the tool. */
  readonly listReserved: boolean
}

/** The schema of a tool's arguments as clients are shown it. */
export function asListed(schema: JsonObject, { admitsReferences, listReserved }: ListedSchema): JsonObject {
  const own = admitsReferences ? admittingReferences(schema) : schema
  return listReserved ? withReserved(own) : own
}

/** A schema of arguments that lists them too; a tool's own argument of such a name stays. */
function withReserved(schema: JsonObject): JsonObject {
  const properties = isObject(schema.properties) ? (schema.properties as JsonObject) : {}
  return { ...schema, properties: { ...RESERVED_PROPERTIES, ...properties } }
}

export const responseFormat = z.enum(['minimal', 'standard', 'full'])

/** An error text stays short, whatever the names of the arguments were. */
const MAX_MESSAGE_LENGTH = 500

/** @throws InvalidArgument that lists what is wrong, and where; an unknown argument is answered with those there are */
export function parseArguments<Schema extends z.ZodObject>(schema: Schema, args: unknown): z.output<Schema> {
  const parsed = schema.safeParse(args ?? {})
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(issue => describe(issue, Object.keys(schema.shape))).join('; ')
  throw new InvalidArgument(`The arguments are not valid. ${cutText(issues, MAX_MESSAGE_LENGTH)}`)
}

/**
 * The same for arguments as a model sent them, which are read for what they mean first.
 * @throws InvalidArgument
 */
export function parseSentArguments<Schema extends z.ZodObject>(
  schema: Schema,
  args: unknown,
): z.output<Schema> {
  return parseArguments(schema, readSentArguments(toJsonSchema(schema), args))
}

/** Converted once: over HTTP the tools are registered for every request. */
const jsonSchemas = new WeakMap<z.ZodType, JsonObject>()

/** What clients are shown of our own schemas. */
export function toJsonSchema(schema: z.ZodType): JsonObject {
  const known = jsonSchemas.get(schema)
  if (known) return known
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema: part }) => {
      // zod says of every integer that it is a safe one: words that an agent would pay for.
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum
    },
  })
  jsonSchemas.set(schema, jsonSchema as JsonObject)
  return jsonSchema as JsonObject
}

type Issue = z.ZodError['issues'][number]

function describe(issue: Issue, known: readonly string[]): string {
  const { path, message } = issue
  if (path.length > 0) return `${path.join('.')}: ${message}`
  if (issue.code !== 'unrecognized_keys') return message
  const [unknown = ''] = issue.keys
  return `There is no argument '${unknown.slice(0, 50)}'. There are: ${nearestFirst(unknown, known).join(', ')}.`
}

/** What is the tool's own among the arguments, and what is ours. */
export interface SplitArguments {
  readonly own: unknown
  readonly responseFormat: ResponseFormat | undefined
  readonly fresh: boolean
  readonly asReference: boolean
}

/** Whether something beside the tool's own arguments may be among them: all that is reserved begins with an underscore. */
export function mayHoldReserved(args: unknown): boolean {
  if (!isObject(args)) return false
  for (const name in args) if (name.startsWith('_')) return true
  return false
}

/** @param declares whether the tool has an argument of a name itself: then it is the tool's */
export function splitArguments(args: unknown, declares: (name: string) => boolean): SplitArguments {
  const ours = isObject(args) ? reservedIn(args, declares) : []
  if (!isObject(args) || ours.length === 0)
    return { own: args, responseFormat: undefined, fresh: false, asReference: false }
  const own = Object.fromEntries(Object.entries(args).filter(([name]) => !ours.includes(name)))
  const reserved = parseSentArguments(
    reservedArguments,
    Object.fromEntries(ours.map(name => [name, args[name]])),
  )
  return {
    own,
    responseFormat: reserved[RESPONSE_FORMAT_ARGUMENT],
    fresh: reserved[FRESH_ARGUMENT] ?? false,
    asReference: reserved[AS_REF_ARGUMENT] ?? false,
  }
}

function reservedIn(args: Readonly<Record<string, unknown>>, declares: (name: string) => boolean): string[] {
  const yielding = [FRESH_ARGUMENT, AS_REF_ARGUMENT].filter(
    name => Object.hasOwn(args, name) && !declares(name),
  )
  return [...(Object.hasOwn(args, RESPONSE_FORMAT_ARGUMENT) ? [RESPONSE_FORMAT_ARGUMENT] : []), ...yielding]
}

const reservedArguments = z.object({
  [RESPONSE_FORMAT_ARGUMENT]: responseFormat.optional(),
  [FRESH_ARGUMENT]: z.boolean().optional(),
  [AS_REF_ARGUMENT]: z.boolean().optional(),
})

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
