import { once } from 'node:events'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RefCacheError } from '../core/errors.ts'
import { bullmqDispatcher, runWorker } from '../execution/bullmq/index.ts'
import { RefCache } from '../ref-cache.ts'
import { redisStore } from '../stores/redis.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { createLog, type Log } from '../wrap/log.ts'
import { CommandFailed, EXIT, usage } from './exit.ts'
import { type WorkArguments, workArguments, workCommandLine } from './work-options.ts'

/** What a module of tools exports: it registers them with the cache of whoever imports it. */
type RegisterTools = (cache: RefCache) => unknown

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

export function workCommand() {
  return workCommandLine().action(async values => {
    process.exitCode = await work(workArguments(values))
  })
}

/** Takes work from the queue until the process is told to end. Resolves with the exit code. */
async function work(args: WorkArguments): Promise<number> {
  const log = createLog({ level: args.logLevel, json: args.json })
  const ending = endOfProcess()
  const registrations = await Promise.all(args.modules.map(registrationIn))
  const cache = openCache(args, log)
  try {
    const starting = start(cache, registrations, args)
    // Redis may be away for long; who ends this process does not wait for it.
    const worker = await Promise.race([starting, ending])
    if (typeof worker === 'number') {
      starting.catch(() => {})
      return worker
    }
    log.info('working', `Takes work as '${cache.name}'. It ends on SIGTERM, after at most ${args.drain}.`)
    const code = await ending
    log.info('ending', 'Takes no more work; what runs may finish.')
    await worker.close({ drain: args.drain })
    return code
  } finally {
    await cache.close()
  }
}

function openCache({ store, connection, queue, prefix, name, lease }: WorkArguments, log: Log): RefCache {
  return new RefCache({
    ...(name === undefined ? {} : { name }),
    ...(lease === undefined ? {} : { leaseDuration: lease }),
    store: /^rediss?:\/\//.test(store) ? redisStore(store) : sqliteStore(store),
    dispatcher: bullmqDispatcher({ connection, queue, prefix }),
    logger: {
      warn: message => log.warn('worker', message),
      error: message => log.error('worker', message),
    },
  })
}

async function start(cache: RefCache, registrations: readonly RegisterTools[], args: WorkArguments) {
  const tools = async () => {
    for (const register of registrations) await register(cache)
  }
  try {
    return await runWorker(cache, { tools, concurrency: args.concurrency })
  } catch (error) {
    if (error instanceof RefCacheError) throw new CommandFailed(EXIT.usage, error.code, error.message)
    throw error
  }
}

/** @throws CommandFailed where the module does not load, or registers nothing */
async function registrationIn(path: string): Promise<RegisterTools> {
  const exports = await load(path)
  const register = exports.registerTools ?? exports.default
  if (typeof register === 'function') return register as RegisterTools
  throw usage(`${path} exports no function that registers tools: export function registerTools(cache) { … }.`)
}

async function load(path: string): Promise<{ registerTools?: unknown; default?: unknown }> {
  try {
    return await import(pathToFileURL(resolve(path)).href)
  } catch (error) {
    throw usage(`The module ${path} does not load: ${(error as Error).message}`)
  }
}

async function endOfProcess(): Promise<number> {
  const signals = Object.keys(SIGNALS) as Array<keyof typeof SIGNALS>
  const [code] = await Promise.race(
    signals.map(signal => once(process, signal).then(() => [SIGNALS[signal]])),
  )
  return code as number
}
