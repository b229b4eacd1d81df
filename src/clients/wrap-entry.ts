import type { Change } from './change.ts'
import type { ConfiguredServer, HttpTransport } from './configured-server.ts'
import { masked } from './mask.ts'
import { ownWrapperIn } from './own-wrapper.ts'

/** What starts this program. */
export interface Launcher {
  readonly command: string
  readonly args: readonly string[]
}

/** What becomes of an entry: changes, or why it stays as it is. */
export type EntryPlan = { readonly changes: readonly Change[] } | { readonly stays: StaysReason }

export interface StaysReason {
  /** `done` is as it should be, `sign-in` can be asked for by name, `cannot` is for the user to mend. */
  readonly kind: 'done' | 'sign-in' | 'cannot'
  readonly message: string
}

type Entry = Readonly<Record<string, unknown>>

/**
 * How an entry has to change so that `mcp-refcache wrap` stands in front of its server. What the entry says besides stays. Pure.
 *
 * @param raw the entry as the file has it
 * @param byName whether the user named this server: then one that may sign its user in is wrapped too
 */
export function wrapEntry(
  { place, transport }: ConfiguredServer,
  raw: Entry,
  launcher: Launcher,
  byName: boolean,
): EntryPlan {
  if (transport.kind === 'unusable') return cannot(transport.problem)
  const start = [...launcher.args, 'wrap']
  if (transport.kind === 'stdio') {
    if (ownWrapperIn(transport)) return { stays: { kind: 'done', message: 'it is behind mcp-refcache' } }
    return {
      changes: stdioChanges(place, raw, launcher, [...start, '--', transport.command, ...transport.args]),
    }
  }
  const { url } = transport
  if (/^[a-z]+:\/\/[^/?#]*@/i.test(url))
    return cannot('its url holds a password: put it into a header instead')
  if (!byName && maySignIn(transport, raw)) {
    return {
      stays: {
        kind: 'sign-in',
        message: 'it may sign you in through the client, which works only without a wrapper',
      },
    }
  }
  return { changes: httpChanges(place, raw, launcher, start, transport) }
}

function cannot(message: string): EntryPlan {
  return { stays: { kind: 'cannot', message } }
}

/** A server elsewhere that gets no credential from the entry is often one that asks the user by OAuth. */
function maySignIn({ url, headers, headersFromEnv = {} }: HttpTransport, raw: Entry): boolean {
  if (['oauth', 'auth', 'headersHelper', 'oauth_resource', 'scopes'].some(key => key in raw)) return true
  if (Object.keys({ ...headers, ...headersFromEnv }).length > 0) return false
  return !/^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/i.test(url)
}

function stdioChanges(
  place: readonly string[],
  raw: Entry,
  { command }: Launcher,
  args: readonly string[],
): Change[] {
  // OpenCode has the whole command as a list, an old Zed as an object.
  if (Array.isArray(raw.command))
    return [{ place: [...place, 'command'], value: [command, ...args] }, ...without(place, raw, ['args'])]
  const isNested = typeof raw.command === 'object' && raw.command !== null
  const inner = isNested ? [...place, 'command'] : place
  return [
    { place: [...inner, isNested ? 'path' : 'command'], value: command },
    { place: [...inner, 'args'], value: [...args] },
  ]
}

const HTTP_KEYS = [
  'url',
  'httpUrl',
  'serverUrl',
  'headers',
  'http_headers',
  'env_http_headers',
  'bearer_token_env_var',
  'transport',
]

const URL_VARIABLE = 'MCP_URL'

/** Headers, and a URL with a secret in it, go into the environment: what stands in arguments, others on the machine can read. */
function httpChanges(
  place: readonly string[],
  raw: Entry,
  { command }: Launcher,
  start: readonly string[],
  { url, headers, headersFromEnv = {} }: HttpTransport,
): Change[] {
  const given = Object.entries(headers).map(([name, value]) => ({ name, value, variable: variableFor(name) }))
  const named = Object.entries(headersFromEnv)
  const holdsSecret = masked(url) !== url
  const args = [
    ...start,
    ...(holdsSecret ? ['--url-env', URL_VARIABLE] : ['--url', url]),
    ...given.flatMap(({ name, variable }) => ['--header-env', `${name}: ${variable}`]),
    ...named.flatMap(([name, { prefix, variable }]) => ['--header-env', `${name}: ${prefix}${variable}`]),
  ]
  const env = [...(holdsSecret ? [{ variable: URL_VARIABLE, value: url }] : []), ...given].map(
    ({ variable, value }): Change => ({ place: [...place, 'env', variable], value }),
  )
  const passed = named.map(([, { variable }]) => variable)
  return [
    ...without(place, raw, HTTP_KEYS),
    ...('type' in raw ? [{ place: [...place, 'type'], value: 'stdio' }] : []),
    { place: [...place, 'command'], value: command },
    { place: [...place, 'args'], value: args },
    ...env,
    // Codex gives a server only those variables that its entry names.
    ...(passed.length > 0
      ? [{ place: [...place, 'env_vars'], value: [...listOf(raw.env_vars), ...passed] }]
      : []),
  ]
}

function without(place: readonly string[], raw: Entry, keys: readonly string[]): Change[] {
  return keys.filter(key => key in raw).map(key => ({ place: [...place, key] }))
}

function variableFor(header: string): string {
  return `MCP_HEADER_${header.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
