import { checkOrigin } from '../wrap/allowed-origins.ts'
import { isLoopback } from '../wrap/loopback.ts'
import { DEFAULT_QUOTA, type Quota } from '../wrap/quotas.ts'
import { usage } from './exit.ts'
import { checked, size, wholeNumber } from './option-values.ts'
import type { Values } from './wrap-command-line.ts'

export interface HttpArguments {
  port: number
  host: string | undefined
  allowOrigins: readonly string[]
  /** The file with the tokens of those who may use it. Absent: whoever can reach it. */
  tokens: string | undefined
  /** What each of them may have. */
  quota: Quota
}

/** @param allowOrigins what the config file says besides */
export function parseHttp(values: Values, allowOrigins: readonly string[]): HttpArguments | undefined {
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
