import { parseArgs } from 'node:util'
import { profileNamed } from '../agent/profiles.ts'
import type { Duration } from '../core/duration.ts'
import { checkCacheName } from '../core/ref.ts'
import { suggest } from '../core/suggest.ts'
import { type KeySource, keysFromEnv, keysFromFile } from '../stores/encrypted.ts'
import { checkOrigin } from '../wrap/allowed-origins.ts'
import { type Config, readConfig } from '../wrap/config-file.ts'
import { LOG_LEVELS, type LogLevel } from '../wrap/log.ts'
import { isLoopback } from '../wrap/loopback.ts'
import { DEFAULT_QUOTA, type Quota } from '../wrap/quotas.ts'
import { type CallSettings, type Invalidates, withInvalidated, withMemoized } from '../wrap/settings.ts'
import type { Target } from '../wrap/wrap.ts'
import { usage } from './exit.ts'
import { checked, size, time, wholeNumber, wrongChoice } from './option-values.ts'

const OPTIONS = {
  'async-timeout': { type: 'string' },
  inline: { type: 'string' },
  'list-reserved': { type: 'boolean' },
  'no-instructions': { type: 'boolean' },
  'max-ttl': { type: 'string' },
  'max-size': { type: 'string' },
  'max-answer': { type: 'string' },
  profile: { type: 'string' },
  store: { type: 'string' },
  encrypt: { type: 'boolean' },
  'encrypt-key-file': { type: 'string' },
  ttl: { type: 'string' },
  lease: { type: 'string' },
  name: { type: 'string' },
  config: { type: 'string' },
  memoize: { type: 'string', multiple: true },
  invalidate: { type: 'string', multiple: true },
  url: { type: 'string' },
  header: { type: 'string', multiple: true },
  http: { type: 'string' },
  host: { type: 'string' },
  'allow-origin': { type: 'string', multiple: true },
  tokens: { type: 'string' },
  'quota-sessions': { type: 'string' },
  'quota-calls': { type: 'string' },
  'quota-bytes': { type: 'string' },
  admin: { type: 'boolean' },
  'log-level': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The wrapper's own: the server that is wrapped must not get it. */
export const KEYS_VARIABLE = 'MCP_REFCACHE_KEYS'

const DEFAULT_ASYNC_TIMEOUT = '20s'

export interface HttpArguments {
  port: number
  host: string | undefined
  allowOrigins: readonly string[]
  /** The file with the tokens of those who may use it. Absent: whoever can reach it. */
  tokens: string | undefined
  /** What each of them may have. */
  quota: Quota
}

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
  /** Absent: entries are stored as they are. */
  keys: KeySource | undefined
  http: HttpArguments | undefined
  /** Adds the admin tools; never together with `http`. */
  admin: boolean
  logLevel: LogLevel
  json: boolean
}

/** What the command line says; `'help'` where that was asked for. @throws CommandFailed with what is wrong */
export function parseWrapArguments(argv: readonly string[], env: NodeJS.ProcessEnv): WrapArguments | 'help' {
  const { own, command } = splitCommand(argv)
  const values = parse(own)
  if (values.help) return 'help'
  const level = values['log-level'] ?? 'info'
  const config = readConfigOf(values)
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
    keys: parseKeySource(values, env),
    http: parseHttp(values, config),
    admin: parseAdmin(values),
    logLevel: LOG_LEVELS.find(name => name === level) ?? wrongChoice('--log-level', level, LOG_LEVELS),
    json: values.json ?? false,
  }
}

function parseTtl(option: string, text: string | undefined): Duration | null | undefined {
  if (text === undefined) return undefined
  return text === 'never' ? null : time(option, text)
}

/**
 * The options end at `--`, or at the first word that is none: launchers that start this command take a `--` for their own. What
 * comes after is the server's, whatever it looks like.
 */
function splitCommand(argv: readonly string[]): { own: readonly string[]; command: readonly string[] } {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string
    if (word === '--') return { own: argv.slice(0, at), command: argv.slice(at + 1) }
    if (!word.startsWith('-')) return { own: argv.slice(0, at), command: argv.slice(at) }
    if (takesValue(word) && argv[at + 1] !== '--') at++
  }
  return { own: argv, command: [] }
}

function takesValue(word: string): boolean {
  const option = Object.entries(OPTIONS).find(([name]) => word === `--${name}`)?.[1]
  return option?.type === 'string'
}

function parse(argv: readonly string[]) {
  rejectUnknown(argv)
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw usage((error as Error).message)
  }
}

type Values = ReturnType<typeof parse>

function parseKeySource(values: Values, env: NodeJS.ProcessEnv): KeySource | undefined {
  const file = values['encrypt-key-file']
  if (file !== undefined) return checked(() => keysFromFile(file))
  return values.encrypt ? checked(() => keysFromEnv(KEYS_VARIABLE, env)) : undefined
}

function rejectUnknown(argv: readonly string[]): void {
  const known = Object.keys(OPTIONS)
  for (const argument of argv) {
    const name = /^--([^=]+)/.exec(argument)?.[1]
    if (name === undefined || known.includes(name)) continue
    const meant = suggest(name, known)
    throw usage(`There is no option --${name}.${meant ? ` Did you mean --${meant}?` : ''} See --help.`)
  }
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

function readConfigOf({ config }: Values): Config {
  if (config !== undefined) return checked(() => readConfig(config))
  return { settings: { defaults: {}, tools: {} }, allowOrigins: [] }
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

function parseHttp(values: Values, { allowOrigins }: Config): WrapArguments['http'] {
  const { http, host, 'allow-origin': origins = [], tokens } = values
  if (http === undefined) {
    const alone = HTTP_OPTIONS.find(option => values[option] !== undefined)
    if (alone !== undefined) throw usage(`--${alone} goes with --http.`)
    return undefined
  }
  const port = wholeNumber('--http', http, 0)
  if (port > 65_535) throw usage('--http takes a port: a number up to 65535.')
  for (const origin of origins) checked(() => checkOrigin(origin))
  if (!isLoopback(host) && tokens === undefined) {
    throw usage(
      `--host ${host} lets whoever is on the network use the server. Say who may with --tokens FILE: a line for each caller, such as '2f6c…9a alice'. Or leave out --host.`,
    )
  }
  return { port, host, allowOrigins: [...allowOrigins, ...origins], tokens, quota: parseQuota(values) }
}

const HTTP_OPTIONS = [
  'host',
  'allow-origin',
  'tokens',
  'quota-sessions',
  'quota-calls',
  'quota-bytes',
] as const

function parseQuota(values: Values): Quota {
  const { 'quota-sessions': sessions, 'quota-calls': calls, 'quota-bytes': bytes, tokens } = values
  const given = HTTP_OPTIONS.find(option => option.startsWith('quota-') && values[option] !== undefined)
  if (given !== undefined && tokens === undefined) {
    throw usage(`--${given} goes with --tokens: without tokens, callers cannot be told apart.`)
  }
  return {
    sessions: sessions === undefined ? DEFAULT_QUOTA.sessions : wholeNumber('--quota-sessions', sessions, 1),
    calls: calls === undefined ? DEFAULT_QUOTA.calls : wholeNumber('--quota-calls', calls, 1),
    bytes: bytes === undefined ? DEFAULT_QUOTA.bytes : size('--quota-bytes', bytes),
  }
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
