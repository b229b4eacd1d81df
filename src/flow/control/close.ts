import { untilAborted } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { checkNames, type Names } from '../../core/options.ts'
import type { Engine } from '../engine.ts'
import { storeSavings } from '../operate/stored-savings.ts'

/** Options of `RefCache.close`. */
export interface CloseOptions {
  /** How long running tasks may go on. @defaultValue 0 */
  drain?: Duration | undefined
  /** Ends this wait with its reason; the cache closes all the same. */
  signal?: AbortSignal | undefined
}

const NAMES: Names<CloseOptions> = { drain: true, signal: true }

/** The drain in milliseconds, and how this caller waits for the close. @throws InvalidArgument */
export function readCloseOptions(options: CloseOptions): {
  drain: number
  waitFor(closed: Promise<void>): Promise<void>
} {
  checkNames(options, NAMES, '`close`')
  const { drain = 0, signal } = options
  const waitFor = (closed: Promise<void>) => {
    if (!signal) return closed
    // Nobody may be left to hear that it failed.
    closed.catch(() => {})
    return untilAborted(signal, () => closed)
  }
  return { drain: toMilliseconds(drain, 'drain'), waitFor }
}

/**
 * Gives running tasks `drain` milliseconds to finish, stops the rest, and closes all that belongs to the cache. No more calls
 * begin by then.
 * @param stop aborts `engine.stopping`
 */
export async function closeEngine(engine: Engine, drain: number, stop: () => void): Promise<void> {
  const { clock, passing, running, heartbeat, dispatcher, executors, sources, errors, store, audit, logger } =
    engine
  await closeOrTell(dispatcher, 'dispatcher', logger)
  const idle = passing.needAll().then(() => (drain > 0 ? running.idle() : undefined))
  await Promise.race([idle, elapsed(clock, drain)])
  stop()
  await running.close(new WorkerLost('The process that ran this task was closed.'))
  heartbeat.end()
  for (const [name, executor] of executors) await closeOrTell(executor, `executor '${name}'`, logger)
  await engine.sql.close()
  sources.clear()
  errors.clear()
  await storeSavings(engine)
  await store.close()
  await closeOrTell(audit, 'audit sink', logger)
}

function elapsed(clock: Clock, ms: number): Promise<void> {
  return new Promise(resolve => {
    clock.schedule(ms, resolve, 'background')
  })
}

/** One part that cannot be closed must not keep the cache from closing. */
async function closeOrTell(
  part: { close?(): unknown } | undefined,
  name: string,
  logger: Logger,
): Promise<void> {
  try {
    await part?.close?.()
  } catch {
    logger.error(`The ${name} could not be closed. What it had not done yet may be lost.`)
  }
}
