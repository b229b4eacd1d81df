import { profileNamed } from '../agent/profiles.ts'
import type { Duration } from '../core/duration.ts'
import { checkCacheName } from '../core/ref.ts'
import { type KeySource, keysFromEnv, keysFromFile } from '../stores/encrypted.ts'
import type { Config } from '../wrap/config-file.ts'
import { LOG_LEVELS, type LogLevel } from '../wrap/log.ts'
import { type CallSettings, type Invalidates, withInvalidated, withMemoized } from '../wrap/settings.ts'
import type { Target } from '../wrap/wrap.ts'
import { usage } from './exit.ts'
import { checked, size, time, wholeNumber, wrongChoice } from './option-values.ts'
import { parseWrapOptions, splitCommand, type Values } from './wrap-command-line.ts'
import { type HttpArguments, parseHttp } from './wrap-http-options.ts'

/** The wrapper's own: the server that is wrapped must not get it. */
export const KEYS_VARIABLE = 'MCP_REFCACHE_KEYS'

const DEFAULT_ASYNC_TIMEOUT = '20s'

export interface WrapArguments {
  target: Target
  settings: CallSettings
  maxSize: number | undefined
  maxAnswer: number | undefined
  /** The name of a profile. Absent: that of the client. */
  profile: string | undefined
  ttl: Duration | null | undefined
  /** The longest that a client can have a value kept. */
  maxTtl: Duration | null | undefined
  lease: Duration | undefined
  name: string | undefined
  /** Absent: the default SQLite file. */
  store: string | undefined
  /** Most bytes that the store keeps. Absent: the default of the store. */
  maxStore: number | undefined
  /** Absent: entries are stored as they are. */
  keys: KeySource | undefined
  http: HttpArguments | undefined
  /** Where results may be exported to. */
  exportDir: string | undefined
  /** Adds the admin tools; never together with `http`. */
  admin: boolean
  logLevel: LogLevel
  json: boolean
}

/** What the command line says; `'help'` where that was asked for. @throws CommandFailed with what is wrong */
export async function parseWrapArguments(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<WrapArguments | 'help'> {
  const { own, command } = splitCommand(argv)
  const values = parseWrapOptions(own)
  if (values.help) return 'help'
  const level = values['log-level'] ?? 'info'
  const config = await readConfigOf(values)
  return {
    target: parseTarget(values, command, env),
    settings: parseSettings(values, config),
    maxSize: values['max-size'] === undefined ? undefined : wholeNumber('--max-size', values['max-size'], 1),
    maxAnswer:
      values['max-answer'] === undefined ? undefined : wholeNumber('--max-answer', values['max-answer'], 1),
    profile:
      values.profile === undefined ? undefined : checked(() => profileNamed(values.profile ?? '').name),
    ttl: parseTtl('--ttl', values.ttl),
    maxTtl: parseTtl('--max-ttl', values['max-ttl']),
    lease: values.lease === undefined ? undefined : time('--lease', values.lease),
    name: values.name === undefined ? undefined : checked(() => checkCacheName(values.name ?? '')),
    store: values.store === undefined ? undefined : storeOf(values.store),
    maxStore: values['max-store'] === undefined ? undefined : size('--max-store', values['max-store']),
    keys: parseKeySource(values, env),
    http: parseHttp(values, config.allowOrigins),
    exportDir: values['export-dir'],
    admin: parseAdmin(values),
    logLevel: LOG_LEVELS.find(name => name === level) ?? wrongChoice('--log-level', level, LOG_LEVELS),
    json: values.json ?? false,
  }
}

function parseTtl(option: string, text: string | undefined): Duration | null | undefined {
  if (text === undefined) return undefined
  return text === 'never' ? null : time(option, text)
}

function parseKeySource(values: Values, env: NodeJS.ProcessEnv): KeySource | undefined {
  const file = values['encrypt-key-file']
  if (file !== undefined) return checked(() => keysFromFile(file))
  return values.encrypt ? checked(() => keysFromEnv(KEYS_VARIABLE, env)) : undefined
}

function parseTarget(values: Values, command: readonly string[], env: NodeJS.ProcessEnv): Target {
  const [first, ...args] = command
  if (values.url !== undefined && first !== undefined)
    throw usage('Give either --url or a command, not both.')
  if (values.url === undefined) {
    if (values.header) throw usage('--header goes with --url.')
    if (first === undefined) {
      throw usage('Say what to wrap: mcp-refcache wrap [options] command args…, or --url URL. See --help.')
    }
    return { command: { command: first, args } }
  }
  if (!URL.canParse(values.url) || !/^https?:/i.test(values.url)) {
    throw usage('--url takes an http:// or https:// address.')
  }
  const url = new URL(values.url)
  if (url.username !== '' || url.password !== '') {
    throw usage(
      'Keep credentials out of --url: give them in a --header, from an environment variable. See --help.',
    )
  }
  return { endpoint: { url, headers: parseHeaders(values.header ?? [], env) } }
}

function parseHeaders(headers: readonly string[], env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    headers.map(header => {
      const [, name, text] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*)$/.exec(header) ?? []
      if (name === undefined || text === undefined) throw usage("--header is written 'Name: text'.")
      return [name, text.replace(/\$\{(\w+)\}/g, (_, variable) => variableOf(variable, env))]
    }),
  )
}

function variableOf(variable: string, env: NodeJS.ProcessEnv): string {
  const value = env[variable]
  if (value === undefined) throw usage(`--header names \${${variable}}, which is not set in the environment.`)
  return value
}

/** What reads it is loaded where there is one: it takes longer than all else that comes before the server starts. */
async function readConfigOf({ config }: Values): Promise<Config> {
  if (config === undefined) return { settings: { defaults: {}, tools: {} }, allowOrigins: [] }
  const { readConfig } = await import('../wrap/config-file.ts')
  return checked(() => readConfig(config))
}

function parseSettings(values: Values, { settings: file }: Config): CallSettings {
  const fromLine = values['async-timeout']
  const asyncTimeout =
    fromLine === undefined
      ? (file.defaults.asyncTimeout ?? DEFAULT_ASYNC_TIMEOUT)
      : time('--async-timeout', fromLine)
  const inline =
    values.inline === undefined ? file.defaults.inline : wholeNumber('--inline', values.inline, 0)
  const settings = {
    ...file,
    ...(values['list-reserved'] ? { listReserved: true } : {}),
    ...(values['no-instructions'] ? { notes: true } : {}),
    defaults: { ...file.defaults, asyncTimeout, ...(inline === undefined ? {} : { inline }) },
  }
  return withInvalidated(withMemoized(settings, parsePatterns(values)), parseInvalidates(values))
}

function parsePatterns({ memoize = [] }: Values): readonly string[] {
  for (const pattern of memoize) {
    if (!/^\S{1,256}$/.test(pattern)) {
      throw usage("--memoize takes a tool's name, or a pattern such as 'search_*'; it may be repeated.")
    }
  }
  return memoize
}

function parseInvalidates({ invalidate = [] }: Values): readonly Invalidates[] {
  return invalidate.map(text => {
    const [, tool, outdated] = /^([^\s=]{1,200})=([^\s=]{1,200})$/.exec(text) ?? []
    if (tool === undefined || outdated === undefined) {
      throw usage(
        "--invalidate is written 'create_*=read_*': a call of the first makes results of the second outdated.",
      )
    }
    return { tool, outdated }
  })
}

/** Words that are meant for a store of another kind would become files of that name. */
function storeOf(where: string): string {
  if (/^memory$/i.test(where)) return 'memory'
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(where) || /^redis$/i.test(where)) {
    throw usage(
      '--store takes the path of a SQLite file, or memory. Redis is for the library (docs/redis.md).',
    )
  }
  if (/^sqlite$/i.test(where) || where === '') {
    throw usage(
      '--store takes a path: leave it out for the default file, or write ./sqlite for a file of that name.',
    )
  }
  return where
}

/** On stdio the only client is whoever started this process; over HTTP it could be anybody. */
function parseAdmin({ admin = false, http }: Values): boolean {
  if (admin && http !== undefined) {
    throw usage(
      '--admin is for stdio alone: over HTTP nobody could tell operators from others. Leave out --admin or --http.',
    )
  }
  return admin
}
