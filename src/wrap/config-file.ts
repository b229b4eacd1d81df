import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { type Duration, toMilliseconds } from '../core/duration.ts'
import { InvalidArgument } from '../core/errors.ts'
import { suggest } from '../core/suggest.ts'
import { followSettings, namesAt } from './follow/settings-schema.ts'
import { checkOrigin } from './http/allowed-origins.ts'
import type { Naming } from './servers/names.ts'
import type { CallSettings } from './settings.ts'
import type { ServerSettings } from './target.ts'

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
  card: z.boolean().optional(),
})

const settingsOfOneTool = z
  .strictObject({ ...toolSettings.shape, follow: followSettings.optional() })
  .refine(({ cache, follow }) => cache !== false || follow === undefined, {
    path: ['follow'],
    error: 'is for calls that go through the cache, and cache is false',
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

const patterns = z.array(z.string().min(1).max(200)).max(1_000)

/** In the names of tools. */
const nameParts = z.string().regex(/^[A-Za-z0-9_-]{0,24}$/, 'takes letters, digits, _ and -, at most 24')

const serverSettings = z.strictObject({
  alias: nameParts.optional(),
  include: patterns.optional(),
  exclude: patterns.optional(),
  rename: z.record(z.string(), z.string().min(1).max(100)).optional(),
  describe: z.record(z.string(), z.string().max(10_000)).optional(),
  maxDescription: z.int().min(1).optional(),
})

const naming = z.strictObject({
  separator: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,4}$/, 'takes letters, digits, _ and -, at most 4')
    .optional(),
  prefix: z.string().max(40, 'takes at most 40 characters').optional(),
})

const configFile = z.strictObject({
  /** For editors. */
  $schema: z.string().optional(),
  allowOrigin: origins.default([]),
  defaults: toolSettings.default({}),
  tools: z.record(z.string(), settingsOfOneTool).default({}),
  servers: z.record(z.string(), serverSettings).default({}),
  naming: naming.default({}),
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
  /** For `--servers`, by the names of the servers. */
  readonly servers: Readonly<Record<string, ServerSettings>>
  readonly naming: Partial<Naming>
}

/** @throws InvalidArgument that says what is wrong with the file, and where */
export function readConfig(path: string): Config {
  const parsed = configFile.safeParse(parseJson(path))
  if (parsed.success) {
    const { defaults, tools, allowOrigin, servers, naming } = parsed.data
    return {
      settings: { defaults, tools },
      allowOrigins: allowOrigin,
      servers,
      naming: naming as Partial<Naming>,
    }
  }
  const issues = parsed.error.issues.map(issue => {
    const at = issue.path.join('.')
    return `${at === '' ? '' : `${at}: `}${issue.code === 'unrecognized_keys' ? unknownKeys(issue) : issue.message}`
  })
  throw new InvalidArgument(`The config file ${path} is not valid. ${issues.join('; ')}.`)
}

const SECTIONS: Readonly<Record<string, z.ZodObject>> = {
  tools: settingsOfOneTool,
  servers: serverSettings,
  naming,
}

function unknownKeys({ keys, path }: z.core.$ZodIssueUnrecognizedKeys): string {
  const known = knownAt(path)
  return keys
    .map(key => {
      const meant = suggest(key.slice(0, 50), known)
      return `there is no '${key.slice(0, 50)}'; ${meant ? `did you mean '${meant}'?` : `there are ${known.join(', ')}`}`
    })
    .join(', ')
}

function knownAt(path: readonly PropertyKey[]): readonly string[] {
  if (path[2] === 'follow') return namesAt(path)
  const { shape } = path.length === 0 ? configFile : (SECTIONS[String(path[0])] ?? toolSettings)
  return Object.keys(shape)
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : 'cannot be read'
    throw new InvalidArgument(`The config file ${path} ${why}.`, { cause })
  }
}
