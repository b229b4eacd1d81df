import { z } from 'zod'
import { cutText } from '../core/cut-text.ts'
import { InvalidArgument } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'
import { nearestFirst } from '../core/suggest.ts'
import type { ResponseFormat } from '../core/tool.ts'
import { readSentArguments } from './sent-arguments.ts'

/** The one argument that every tool accepts beside its own. It never reaches the tool, its validation or its key. */
export const RESPONSE_FORMAT_ARGUMENT = '_async_response_format'

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
export function splitArguments(args: unknown): {
  own: unknown
  responseFormat: ResponseFormat | undefined
} {
  if (typeof args !== 'object' || args === null || !Object.hasOwn(args, RESPONSE_FORMAT_ARGUMENT)) {
    return { own: args, responseFormat: undefined }
  }
  const { [RESPONSE_FORMAT_ARGUMENT]: format, ...own } = args as Record<string, unknown>
  const { [RESPONSE_FORMAT_ARGUMENT]: parsed } = parseSentArguments(reservedArguments, {
    [RESPONSE_FORMAT_ARGUMENT]: format,
  })
  return { own, responseFormat: parsed }
}

const reservedArguments = z.object({ [RESPONSE_FORMAT_ARGUMENT]: responseFormat.optional() })
