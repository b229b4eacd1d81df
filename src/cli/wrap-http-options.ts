import { checkOrigin } from '../wrap/http/allowed-origins.ts'
import { isLoopback } from '../wrap/http/loopback.ts'
import { DEFAULT_QUOTA, type Quota } from '../wrap/quotas.ts'
import { usage } from './exit.ts'
import { checked } from './option-values.ts'
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
  const { http: port, host, allowOrigin: origins = [], tokens } = values
  if (port === undefined) {
    const alone = HTTP_OPTIONS.find(({ key }) => values[key] !== undefined)
    if (alone !== undefined) throw usage(`${alone.option} goes with --http.`)
    return undefined
  }
  if (port > 65_535) throw usage('--http takes a port: a number up to 65535.')
  for (const origin of origins) checked(() => checkOrigin(origin))
  if (!isLoopback(host) && tokens === undefined) {
    throw usage(
      `--host ${host} lets whoever is on the network use the server. Say who may with --tokens FILE: a line for each caller, such as '2f6c…9a alice'. Or leave out --host.`,
    )
  }
  return { port, host, allowOrigins: [...allowOrigins, ...origins], tokens, quota: parseQuota(values) }
}

const QUOTA_OPTIONS = [
  { key: 'quotaSessions', option: '--quota-sessions' },
  { key: 'quotaCalls', option: '--quota-calls' },
  { key: 'quotaBytes', option: '--quota-bytes' },
] as const

const HTTP_OPTIONS = [
  { key: 'host', option: '--host' },
  { key: 'allowOrigin', option: '--allow-origin' },
  { key: 'tokens', option: '--tokens' },
  ...QUOTA_OPTIONS,
] as const

function parseQuota(values: Values): Quota {
  const given = QUOTA_OPTIONS.find(({ key }) => values[key] !== undefined)
  if (given !== undefined && values.tokens === undefined) {
    throw usage(`${given.option} goes with --tokens: without tokens, callers cannot be told apart.`)
  }
  return {
    sessions: values.quotaSessions ?? DEFAULT_QUOTA.sessions,
    calls: values.quotaCalls ?? DEFAULT_QUOTA.calls,
    bytes: values.quotaBytes ?? DEFAULT_QUOTA.bytes,
  }
}
