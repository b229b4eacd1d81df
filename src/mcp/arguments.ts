import { z } from 'zod'
import { InvalidArgument } from '../core/errors.ts'
import type { ResponseFormat } from '../core/tool.ts'

/** The one argument that every tool accepts beside its own. It never reaches the tool, its validation or its key. */
export const RESPONSE_FORMAT_ARGUMENT = '_async_response_format'

export const responseFormat = z.enum(['minimal', 'standard', 'full'])

/** An error text stays short, whatever the names of the arguments were. */
const MAX_MESSAGE_LENGTH = 500

/** @throws InvalidArgument that lists what is wrong, and where */
export function parseArguments<Schema extends z.ZodType>(schema: Schema, args: unknown): z.output<Schema> {
  const parsed = schema.safeParse(args ?? {})
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')
  throw new InvalidArgument(`The arguments are not valid. ${issues.slice(0, MAX_MESSAGE_LENGTH)}`)
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
  const { [RESPONSE_FORMAT_ARGUMENT]: parsed } = parseArguments(formatArgument, {
    [RESPONSE_FORMAT_ARGUMENT]: format,
  })
  return { own, responseFormat: parsed }
}

const formatArgument = z.object({ [RESPONSE_FORMAT_ARGUMENT]: responseFormat })
