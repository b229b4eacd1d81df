import type { Duration } from '../core/duration.ts'
import { type KeySource, keysFromEnv, keysFromFile } from '../stores/encrypted.ts'
import type { Config } from '../wrap/config-file.ts'
import type { LogLevel } from '../wrap/log.ts'
import { type CallSettings, withInvalidated, withMemoized } from '../wrap/settings.ts'
import type { Target } from '../wrap/target.ts'
import { usage } from './exit.ts'
import { checked } from './option-values.ts'
import type { Values } from './wrap-command-line.ts'
import { type HttpArguments, parseHttp } from './wrap-http-options.ts'
import { urlOf } from './wrap-values.ts'

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
  /** Where the live page is served. Absent: nowhere. */
  ui: number | undefined
  /** Where decisions are written down. Absent: nowhere. */
  audit: string | undefined
  /** Makes spans and metrics of OpenTelemetry. */
  otel: boolean
  logLevel: LogLevel
  json: boolean
}

/** What the command line says, once its options are read. @throws CommandFailed where they do not go together */
export async function wrapArguments(
  command: readonly string[],
  values: Values,
  env: NodeJS.ProcessEnv,
): Promise<WrapArguments> {
  const config = await readConfigOf(values)
  return {
    target: await parseTarget(values, command, config, env),
    settings: parseSettings(values, config),
    maxSize: values.maxSize,
    maxAnswer: values.maxAnswer,
    profile: values.profile,
    ttl: nullForNever(values.ttl),
    maxTtl: nullForNever(values.maxTtl),
    lease: values.lease,
    name: values.name,
    store: values.store,
    maxStore: values.maxStore,
    keys: keySourceOf(values, env),
    http: parseHttp(values, config.allowOrigins),
    exportDir: values.exportDir,
    admin: parseAdmin(values),
    ui: parseUi(values),
    audit: values.audit,
    otel: values.otel ?? false,
    logLevel: values.logLevel ?? 'info',
    json: values.json ?? false,
  }
}

function nullForNever(ttl: Duration | 'never' | undefined): Duration | null | undefined {
  return ttl === 'never' ? null : ttl
}

/** Where the keys of an encrypted store are. Undefined: it is not encrypted. @throws CommandFailed */
export function keySourceOf(
  {
    encrypt,
    encryptKeyFile: file,
  }: { readonly encrypt?: boolean | undefined; readonly encryptKeyFile?: string | undefined },
  env: NodeJS.ProcessEnv,
): KeySource | undefined {
  if (file !== undefined) return checked(() => keysFromFile(file))
  return encrypt ? checked(() => keysFromEnv(KEYS_VARIABLE, env)) : undefined
}

async function parseTarget(
  values: Values,
  command: readonly string[],
  config: Config,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  const { urlEnv, header, headerEnv, servers, lazy } = values
  const url = values.url ?? (urlEnv === undefined ? undefined : urlOf(variableOf(urlEnv, env, '--url-env')))
  const [first, ...args] = command
  const ways = [
    servers !== undefined && '--servers',
    values.url !== undefined && '--url',
    urlEnv !== undefined && '--url-env',
    first !== undefined && 'a command',
  ]
  const given = ways.filter(way => way !== false)
  if (given.length > 1) throw usage(`Give either ${given.join(' or ')}, not both.`)
  if (header && url === undefined) throw usage('--header goes with --url.')
  if (headerEnv && url === undefined) throw usage('--header-env goes with --url.')
  if (lazy && servers === undefined) throw usage('--lazy goes with --servers.')
  if (servers !== undefined) {
    const { serversTarget } = await import('./servers-target.ts')
    return { servers: serversTarget(servers, values, config, env) }
  }
  if (url !== undefined) {
    const headers = { ...parseHeaders(header ?? [], env), ...headersFromEnv(headerEnv ?? [], env) }
    return { endpoint: { url, headers } }
  }
  if (first !== undefined) return { command: { command: first, args } }
  throw usage(
    'Say what to wrap: mcp-refcache wrap [options] command args…, or --url URL, or --servers FILE. See --help.',
  )
}

function parseHeaders(headers: readonly string[], env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    headers.map(header => {
      const [, name, text] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*)$/.exec(header) ?? []
      if (name === undefined || text === undefined) throw usage("--header is written 'Name: text'.")
      return [name, text.replace(/\$\{(\w+)\}/g, (_, variable) => variableOf(variable, env, '--header'))]
    }),
  )
}

/** Clients fill what looks like a placeholder in arguments, so here a variable stands by its bare name. */
function headersFromEnv(headers: readonly string[], env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    headers.map(header => {
      const [, name, prefix = '', variable] =
        /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*(\S+\s+)?(\w+)\s*$/.exec(header) ?? []
      if (name === undefined || variable === undefined) {
        throw usage("--header-env is written 'Name: VARIABLE', or 'Authorization: Bearer VARIABLE'.")
      }
      return [name, `${prefix}${variableOf(variable, env, '--header-env')}`]
    }),
  )
}

function variableOf(variable: string, env: NodeJS.ProcessEnv, option: string): string {
  const value = env[variable]
  if (value === undefined)
    throw usage(`${option} names \${${variable}}, which is not set in the environment.`)
  return value
}

/** What reads it is loaded where there is one: it takes longer than all else that comes before the server starts. */
async function readConfigOf({ config }: Values): Promise<Config> {
  if (config === undefined)
    return { settings: { defaults: {}, tools: {} }, allowOrigins: [], servers: {}, naming: {} }
  const { readConfig } = await import('../wrap/config-file.ts')
  return checked(() => readConfig(config))
}

function parseSettings(values: Values, { settings: file }: Config): CallSettings {
  const asyncTimeout = values.asyncTimeout ?? file.defaults.asyncTimeout ?? DEFAULT_ASYNC_TIMEOUT
  const inline = values.inline ?? file.defaults.inline
  const settings = {
    ...file,
    ...(values.listReserved ? { listReserved: true } : {}),
    ...(values.instructions ? {} : { notes: true }),
    defaults: {
      ...file.defaults,
      asyncTimeout,
      ...(inline === undefined ? {} : { inline }),
      ...(values.card ? { card: true } : {}),
    },
  }
  return withInvalidated(withMemoized(settings, values.memoize ?? []), values.invalidate ?? [])
}

/** On stdio the only client is whoever started this process; over HTTP it could be anybody. */
function parseAdmin({ admin = false, http }: { admin?: boolean; http?: number }): boolean {
  if (admin && http !== undefined) {
    throw usage(
      '--admin is for stdio alone: over HTTP nobody could tell operators from others. Leave out --admin or --http.',
    )
  }
  return admin
}

function parseUi({ ui }: { ui?: number }): number | undefined {
  if (ui !== undefined && ui > 65_535) throw usage('--ui takes a port: a number up to 65535.')
  return ui
}
