import type { Duration } from '../core/duration.ts'
import { checkCacheName } from '../core/ref.ts'
import { LOG_LEVELS, type LogLevel } from '../wrap/log.ts'
import { usage } from './exit.ts'
import { checked, time, wholeNumber, wrongChoice } from './option-values.ts'
import { parseOptions } from './parse-options.ts'

export interface WorkArguments {
  /** Paths of modules that register tools. */
  modules: readonly string[]
  /** A Redis URL, or the path of a SQLite file. */
  store: string
  /** The Redis server of the queue. */
  connection: string
  queue: string | undefined
  prefix: string | undefined
  name: string | undefined
  concurrency: number | undefined
  lease: Duration | undefined
  drain: Duration
  logLevel: LogLevel
  json: boolean
}

const OPTIONS = {
  module: { type: 'string', multiple: true },
  store: { type: 'string' },
  connection: { type: 'string' },
  queue: { type: 'string' },
  prefix: { type: 'string' },
  name: { type: 'string' },
  concurrency: { type: 'string' },
  lease: { type: 'string' },
  drain: { type: 'string' },
  'log-level': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const DEFAULT_DRAIN = '30s'

/** What the command line says; `'help'` where that was asked for. @throws CommandFailed with what is wrong */
export function parseWorkArguments(argv: readonly string[]): WorkArguments | 'help' {
  const values = parseOptions(argv, OPTIONS)
  if (values.help) return 'help'
  const { module: modules = [], store, queue, prefix, name, 'log-level': level = 'info' } = values
  if (modules.length === 0) throw usage('Say which tools this worker has: --module tools.js. See --help.')
  if (store === undefined) throw usage("Give the fronts' store: --store redis://… or the path of a file.")
  const connection = values.connection ?? store
  if (!/^rediss?:\/\//.test(connection)) {
    throw usage('The queue is on a Redis server: give it with --connection redis://… beside that --store.')
  }
  return {
    modules,
    store,
    connection,
    queue,
    prefix,
    name: name === undefined ? undefined : checked(() => checkCacheName(name)),
    concurrency:
      values.concurrency === undefined ? undefined : wholeNumber('--concurrency', values.concurrency, 1),
    lease: values.lease === undefined ? undefined : time('--lease', values.lease),
    drain: time('--drain', values.drain ?? DEFAULT_DRAIN),
    logLevel: LOG_LEVELS.find(known => known === level) ?? wrongChoice('--log-level', level, LOG_LEVELS),
    json: values.json ?? false,
  }
}
