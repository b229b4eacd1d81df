import type { Duration } from '../core/duration.ts'
import { checkCacheName } from '../core/ref.ts'
import type { LogLevel } from '../wrap/log.ts'
import { createCommand, logLevelOption } from './command.ts'
import { usage } from './exit.ts'
import { checked, text, texts, time, wholeNumber } from './option-values.ts'

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

const DESCRIPTION = [
  'Run the tools of servers that put their work in a queue of BullMQ.\n',
  'The servers ("fronts") have a cache with dispatcher: bullmqDispatcher({ connection }), on the same store and of the',
  'same name. Any number of workers may run, on any machine. A task of a worker that is killed is run again elsewhere',
  'where its tool is idempotent, else it has failed. Needs the packages bullmq and @redis/client.',
]

const EXAMPLES = `
Example:
  mcp-refcache work --module tools.js --store redis://host:6379 --concurrency 4

Exit codes:
  0    help                                     1    something unexpected
  2    wrong usage, or a module that does not load
  130  ended by SIGINT                          143  ended by SIGTERM`

const DEFAULT_DRAIN = '30s'

export function workCommandLine() {
  return createCommand('work', ...DESCRIPTION)
    .usage('--module tools.js --store redis://host:6379 [options]')
    .addHelpText('after', EXAMPLES)
    .option(
      '--module <file>',
      'registers tools: export function registerTools(cache) { cache.cached(…) }; may be repeated',
      texts('--module'),
    )
    .option(
      '--store <where>',
      "the fronts' store: redis://…, or the path of a SQLite file that they share",
      text('--store'),
    )
    .option('--connection <url>', 'the Redis server of the queue (that of --store)', text('--connection'))
    .option('--queue <name>', "the queue (mcp-refcache-NAME, with the cache's name)", text('--queue'))
    .option('--prefix <text>', "what BullMQ's keys begin with (bull)", text('--prefix'))
    .option('--name <name>', "the name of the fronts' cache (cache)", name =>
      checked(() => checkCacheName(name)),
    )
    .option('--concurrency <n>', 'tasks that run here at once (10)', wholeNumber('--concurrency', 1))
    .option(
      '--lease <time>',
      "how long after a worker was killed its tasks are taken up again (as the fronts')",
      time('--lease'),
    )
    .option(
      '--drain <time>',
      'what runs may go on for so long after SIGTERM or SIGINT (30s)',
      time('--drain'),
    )
    .addOption(logLevelOption())
    .option('--json', 'logs as JSON lines')
}

type Values = ReturnType<ReturnType<typeof workCommandLine>['opts']>

/** What the command line says, once its options are read. @throws CommandFailed where they do not go together */
export function workArguments(values: Values): WorkArguments {
  const { module: modules = [], store, queue, prefix, name, concurrency, lease } = values
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
    name,
    concurrency,
    lease,
    drain: values.drain ?? DEFAULT_DRAIN,
    logLevel: values.logLevel ?? 'info',
    json: values.json ?? false,
  }
}
