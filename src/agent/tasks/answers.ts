import * as z from 'zod'
import { cutText } from '../../core/cut-text.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import type { InputRequest } from '../../core/question.ts'

const MAX_MESSAGE_LENGTH = 500

/** @throws InvalidArgument where a form that was accepted is not filled in as it was asked for */
export function checkForms(
  requests: Readonly<Record<string, InputRequest>>,
  answers: Readonly<Record<string, unknown>>,
): void {
  for (const [key, { method, params }] of Object.entries(requests)) {
    const answer = Object.hasOwn(answers, key) ? (answers[key] as JsonValue) : undefined
    if (method !== 'elicitation/create' || params.mode === 'url') continue
    if (!isJsonObject(answer) || answer.action !== 'accept') continue
    const problem = problemWith(answer.content ?? {}, params.requestedSchema)
    if (problem === undefined) continue
    const words = cutText(problem, MAX_MESSAGE_LENGTH)
    throw new InvalidArgument(`The \`content\` of the answer to ${key} is not what was asked for: ${words}`)
  }
}

function problemWith(content: JsonValue, requestedSchema: JsonValue | undefined): string | undefined {
  const schema = toSchema(requestedSchema)
  const parsed = schema?.safeParse(content)
  if (!parsed || parsed.success) return undefined
  return parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ')
}

/** A schema that cannot be read here checks nothing: what the form says is for the handler to judge. */
function toSchema(schema: JsonValue | undefined): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    return undefined
  }
}
