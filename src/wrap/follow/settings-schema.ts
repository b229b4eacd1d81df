import * as z from 'zod'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import type { FollowSettings } from './settings.ts'

const pointer = z
  .string()
  .regex(/^(?:\/(?:[^~]|~[01])*)?$/, "must be a JSON Pointer, such as '/job/id', or '' for all of the answer")

const after = z.strictObject({ after: z.string().min(1).max(200) })

const duration = z
  .union([z.number(), z.string()], { error: 'must be milliseconds or a text such as 500ms, 5s, 10m' })
  .refine(isPositive, "must be more than 0: milliseconds or a text such as '500ms', '5s', '10m'")
  .transform(value => value as Duration)

/** A text is a pointer; of objects the members say which one it is, so that an error is about that one. */
const place = oneOf('a JSON Pointer or { "after": "text" }', { after })
const given = oneOf('a JSON Pointer, { "after": "text" }, { "value": … } or { "argument": "/pointer" }', {
  after,
  value: z.strictObject({ value: z.json() }),
  argument: z.strictObject({ argument: pointer }),
})

const ask = z.strictObject({
  tool: z.string().min(1).max(200),
  arguments: z.record(z.string(), given).default({}),
})

const condition = z.strictObject({
  at: place,
  is: z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .min(1)
    .optional(),
})

export const followSettings = z
  .strictObject({
    ask,
    done: condition,
    failed: condition.optional(),
    progress: z
      .strictObject({ current: place.optional(), total: place.optional(), message: place.optional() })
      .optional(),
    error: place.optional(),
    result: oneOf('a JSON Pointer, { "after": "text" } or { "tool": …, "arguments": … }', {
      after,
      tool: ask,
    }).optional(),
    cancel: ask.optional(),
    every: duration.default('1s'),
    atMost: duration.default('15s'),
  })
  .refine(({ every, atMost }) => toMilliseconds(every, 'every') <= toMilliseconds(atMost, 'atMost'), {
    path: ['atMost'],
    error: 'must not be less than every',
  })
  .transform(settings => settings as FollowSettings)

/** The names that stand at a place of these settings, for errors about a name that does not. */
export function namesAt(path: readonly PropertyKey[]): readonly string[] {
  const last = path.at(-1)
  if (last === 'follow')
    return ['ask', 'done', 'failed', 'progress', 'error', 'result', 'cancel', 'every', 'atMost']
  if (last === 'done' || last === 'failed') return ['at', 'is']
  if (last === 'progress') return ['current', 'total', 'message']
  return last === 'ask' || last === 'cancel' || last === 'result'
    ? ['tool', 'arguments']
    : ['after', 'value', 'argument']
}

function oneOf(what: string, kinds: Readonly<Record<string, z.ZodType>>) {
  return z.unknown().transform((value, context) => {
    const isObject = typeof value === 'object' && value !== null
    const named = isObject ? Object.keys(kinds).find(name => Object.hasOwn(value, name)) : undefined
    const schema = named === undefined ? undefined : kinds[named]
    if (schema === undefined && typeof value !== 'string') {
      context.addIssue(`must be ${what}`)
      return z.NEVER
    }
    const parsed = (schema ?? pointer).safeParse(value)
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) context.addIssue({ ...issue, code: 'custom', input: value })
    return z.NEVER
  })
}

function isPositive(value: unknown): boolean {
  try {
    return toMilliseconds(value as Duration, 'duration') > 0
  } catch {
    return false
  }
}
