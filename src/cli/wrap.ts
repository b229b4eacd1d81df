import { StoreUnavailable } from '../core/errors.ts'
import { encryptedStore } from '../stores/encrypted.ts'
import { memoryStore } from '../stores/memory.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { PlaceUnusable } from '../stores/sqlite-errors.ts'
import { defaultPath } from '../stores/sqlite-place.ts'
import type { Store } from '../stores/store.ts'
import { HttpListener } from '../wrap/http-listener.ts'
import { createLog, type Log } from '../wrap/log.ts'
import { StdioChannel } from '../wrap/stdio-channel.ts'
import { type SessionEnd, Wrapper } from '../wrap/wrap.ts'
import { CommandFailed, EXIT } from './exit.ts'
import { WRAP_HELP } from './help.ts'
import { KEYS_VARIABLE, parseWrapArguments, type WrapArguments } from './wrap-options.ts'

/** An orderly end takes less; whatever hangs must not keep this process, or the wrapped server, alive. */
const CLOSE_WITHIN_MS = 1_900

/** `mcp-refcache wrap`. Resolves with the exit code when it is over. */
export async function wrap(argv: readonly string[]): Promise<number> {
  const args = parseWrapArguments(argv, process.env)
  if (args === 'help') {
    process.stdout.write(WRAP_HELP)
    return EXIT.ok
  }
  delete process.env[KEYS_VARIABLE]
  const log = createLog({ level: args.logLevel, json: args.json })
  const wrapper = await openWrapper(args, log)
  const ending = new Promise<number>(resolve => {
    process.once('SIGINT', () => resolve(130))
    process.once('SIGTERM', () => resolve(143))
    process.once('SIGHUP', () => resolve(129))
  })
  const closeAll: Array<() => Promise<void>> = [() => wrapper.close()]
  try {
    // Said at once; whoever connects is told as well, and may come when the server is there.
    wrapper.checkTarget().catch((error: Error) => log.error('upstream_unusable', error.message))
    const served = args.http
      ? serveHttp(wrapper, args.http, log, closeAll)
      : serveStdio(wrapper, log, closeAll)
    return await Promise.race([ending, served])
  } finally {
    await closeInTime(closeAll)
  }
}

/** @throws CommandFailed where the store cannot be opened */
export async function openWrapper(args: WrapArguments, log: Log): Promise<Wrapper> {
  const { target, settings, maxSize, ttl, lease, name, admin } = args
  try {
    const wrapper = new Wrapper({
      target,
      store: await openStore(args, log),
      settings,
      maxSize,
      ttl,
      lease,
      name,
      admin,
      log,
    })
    await wrapper.checkStore()
    return wrapper
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new CommandFailed(EXIT.store, error.code, error.message)
    throw error
  }
}

async function openStore({ store: where, keys }: WrapArguments, log: Log): Promise<Store> {
  const seal = (store: Store) => (keys ? encryptedStore(store, { keys }) : store)
  if (where === 'memory') return seal(memoryStore())
  if (where !== undefined) return seal(sqliteStore(where))
  try {
    return seal(await openDefaultFile(keys !== undefined))
  } catch (error) {
    if (!(error instanceof PlaceUnusable)) throw error
    log.warn(
      'store_memory',
      `Results are kept in memory: they end with this process, and no other one shares them. ${error.message}`,
    )
    return seal(memoryStore())
  }
}

/** Encrypted entries have a default file of their own: others could not read them, nor they the others. */
async function openDefaultFile(encrypted: boolean): Promise<Store> {
  const store = sqliteStore(defaultPath(encrypted ? 'encrypted' : 'cache'))
  try {
    await store.get('')
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

async function serveStdio(wrapper: Wrapper, log: Log, closeAll: Array<() => Promise<void>>): Promise<number> {
  let end: (why: SessionEnd) => void = () => {}
  const over = new Promise<SessionEnd>(resolve => {
    end = resolve
  })
  const session = wrapper.onlySession(new StdioChannel(), why => end(why))
  closeAll.push(() => session.close())
  await startOrFail(() => session.start())
  log.info('started', `Wrapping the server as '${wrapper.cache.name}' on stdio; it has not answered yet.`)
  const why = await over
  if (why.kind === 'client-gone') return EXIT.ok
  throw new CommandFailed(EXIT.upstream, 'upstream_unusable', why.reason)
}

async function startOrFail(start: () => Promise<void>): Promise<void> {
  try {
    await start()
  } catch (error) {
    throw new CommandFailed(EXIT.upstream, 'upstream_unusable', (error as Error).message)
  }
}

async function serveHttp(
  wrapper: Wrapper,
  { port, host }: NonNullable<WrapArguments['http']>,
  log: Log,
  closeAll: Array<() => Promise<void>>,
): Promise<number> {
  const listener = new HttpListener(wrapper, { port, host, log })
  closeAll.push(() => listener.close())
  try {
    const url = await listener.start()
    log.info('listening', `Wrapping the server as '${wrapper.cache.name}' on ${url}`)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new CommandFailed(
        EXIT.portInUse,
        'port_in_use',
        `Port ${port} is in use. End what listens there, or choose another one with --http.`,
      )
    }
    throw new CommandFailed(EXIT.failed, 'http_unavailable', message)
  }
  return new Promise(() => {})
}

async function closeInTime(closeAll: ReadonlyArray<() => Promise<void>>): Promise<void> {
  const closed = Promise.allSettled(closeAll.map(close => close()))
  await Promise.race([closed, new Promise(resolve => setTimeout(resolve, CLOSE_WITHIN_MS))])
}
