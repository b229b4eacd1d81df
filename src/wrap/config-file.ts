import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { type Duration, toMilliseconds } from '../core/duration.ts'
import { InvalidArgument } from '../core/errors.ts'
import { suggest } from '../core/suggest.ts'
import { checkOrigin } from './allowed-origins.ts'
import type { CallSettings } from './settings.ts'

const duration = z
  .union([z.number(), z.string()])
  .refine(isDuration, "must be milliseconds or a text such as '500ms', '5s', '10m', '1h'")
  .transform(value => value as Duration)

const toolSettings = z.strictObject({
  asyncTimeout: duration.optional(),
  hardTimeout: duration.nullable().optional(),
  ttl: duration.nullable().optional(),
  memoize: z.boolean().optional(),
  invalidates: z.array(z.string().min(1).max(200)).max(100).optional(),
  maxSize: z.int().min(1).optional(),
  inline: z.int().min(0).optional(),
  strategy: z.enum(['sample', 'truncate', 'paginate']).optional(),
  resolveRefs: z.boolean().optional(),
  cache: z.boolean().optional(),
})

const origins = z
  .union([z.string().transform(one => [one]), z.array(z.string())], {
    error: 'must be an origin, or a list of origins',
  })
  .superRefine((list, context) => {
    for (const text of list) {
      try {
        checkOrigin(text)
      } catch (error) {
        context.addIssue((error as Error).message.replace(/\.$/, ''))
      }
    }
  })

const configFile = z.strictObject({
  /** For editors. */
  $schema: z.string().optional(),
  allowOrigin: origins.default([]),
  defaults: toolSettings.default({}),
  tools: z.record(z.string(), toolSettings).default({}),
})

function isDuration(value: unknown): boolean {
  try {
    return toMilliseconds(value as Duration, 'duration') >= 0
  } catch {
    return false
  }
}

export interface Config {
  readonly settings: CallSettings
  /** As `--allow-origin`. */
  readonly allowOrigins: readonly string[]
}

/** @throws InvalidArgument that says what is wrong with the file, and where */
export function readConfig(path: string): Config {
  const parsed = configFile.safeParse(parseJson(path))
  if (parsed.success) {
    const { defaults, tools, allowOrigin } = parsed.data
    return { settings: { defaults, tools }, allowOrigins: allowOrigin }
  }
  const issues = parsed.error.issues.map(issue => {
    const at = issue.path.join('.')
    return `${at === '' ? '' : `${at}: `}${issue.code === 'unrecognized_keys' ? unknownKeys(issue) : issue.message}`
  })
  throw new InvalidArgument(`The config file ${path} is not valid. ${issues.join('; ')}.`)
}

function unknownKeys({ keys, path }: z.core.$ZodIssueUnrecognizedKeys): string {
  const known = Object.keys(path.length === 0 ? configFile.shape : toolSettings.shape)
  return keys
    .map(key => {
      const meant = suggest(key.slice(0, 50), known)
      return `there is no '${key.slice(0, 50)}'; ${meant ? `did you mean '${meant}'?` : `there are ${known.join(', ')}`}`
    })
    .join(', ')
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : 'cannot be read'
    throw new InvalidArgument(`The config file ${path} ${why}.`, { cause })
  }
}
