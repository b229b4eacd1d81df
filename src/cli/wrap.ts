import type { AuditSink } from '../access/audit.ts'
import type { Store } from '../stores/store.ts'
import type { ServerProcess } from '../wrap/channels/child-process.ts'
import { StdioChannel } from '../wrap/channels/stdio-channel.ts'
import { refuseFirst } from '../wrap/client/unusable-server.ts'
import type { Log } from '../wrap/log.ts'
import { type SessionEnd, Wrapper } from '../wrap/wrap.ts'
import { CommandFailed, EXIT, usage } from './exit.ts'
import { TokenFile } from './token-file.ts'
import type { HttpArguments } from './wrap-http-options.ts'
import type { WrapArguments } from './wrap-options.ts'

/** An orderly end takes less; whatever hangs must not keep this process, or the wrapped server, alive. */
const CLOSE_WITHIN_MS = 1_900

/** What is there before the wrapper: its store is open, and its server may be starting. */
export interface Prepared {
  readonly args: WrapArguments
  readonly store: Store
  readonly audit?: AuditSink | undefined
  readonly log: Log
  readonly server?: ServerProcess | undefined
}

/** Wraps the server. Resolves with the exit code when it is over. */
export async function wrap(prepared: Prepared): Promise<number> {
  const { args, log } = prepared
  const wrapper = createWrapper(prepared)
  const ending = new Promise<number>(resolve => {
    process.once('SIGINT', () => resolve(130))
    process.once('SIGTERM', () => resolve(143))
    process.once('SIGHUP', () => resolve(129))
  })
  const closeAll: Array<() => Promise<void>> = [() => wrapper.close()]
  try {
    // Said at once; whoever connects is told as well, and may come when the server is there.
    wrapper.checkTarget().catch((error: Error) => log.error('upstream_unusable', error.message))
    // No client waits for it.
    if (args.ui !== undefined) void showPage(args.ui, wrapper, prepared, closeAll)
    const served = args.http
      ? serveHttp(wrapper, args.http, log, closeAll)
      : serveStdio(wrapper, log, closeAll)
    return await Promise.race([ending, served])
  } finally {
    await closeInTime(closeAll)
  }
}

export function createWrapper({ args, store, audit, log, server }: Prepared): Wrapper {
  const { http, keys, otel, logLevel, json, ui, store: _, maxStore: __, audit: ___, ...options } = args
  return new Wrapper({ ...options, server, store, audit, quota: http?.quota, log })
}

async function showPage(
  port: number,
  { cache }: Wrapper,
  { store, log }: Prepared,
  closeAll: Array<() => Promise<void>>,
): Promise<void> {
  try {
    const { serveWrapPage } = await import('./wrap-page.ts')
    const page = await serveWrapPage(port, cache, store, log)
    closeAll.push(() => page.close())
  } catch (error) {
    // Another wrapper of the same configuration may have it.
    log.warn('ui_unavailable', `There is no live page. ${(error as Error).message}`)
  }
}

async function serveStdio(wrapper: Wrapper, log: Log, closeAll: Array<() => Promise<void>>): Promise<number> {
  let end: (why: SessionEnd) => void = () => {}
  const over = new Promise<SessionEnd>(resolve => {
    end = resolve
  })
  const client = new StdioChannel()
  const session = wrapper.onlySession(client, why => end(why))
  closeAll.push(() => session.close())
  try {
    await session.start()
  } catch (error) {
    const { message } = error as Error
    await refuseFirst(client, message)
    throw new CommandFailed(EXIT.upstream, 'upstream_unusable', message)
  }
  log.info('started', `Wrapping the server as '${wrapper.cache.name}' on stdio; it has not answered yet.`)
  const why = await over
  if (why.kind === 'client-gone') return EXIT.ok
  throw new CommandFailed(EXIT.upstream, 'upstream_unusable', why.reason)
}

async function serveHttp(
  wrapper: Wrapper,
  { port, host, allowOrigins, tokens: file, quota }: HttpArguments,
  log: Log,
  closeAll: Array<() => Promise<void>>,
): Promise<number> {
  const tokens = file === undefined ? undefined : openTokens(file, log)
  const { HttpListener } = await import('../wrap/http/listener.ts')
  const listener = new HttpListener(wrapper, {
    port,
    host,
    allowOrigins,
    tokens,
    sessionsOfOne: quota.sessions,
    log,
  })
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

function openTokens(file: string, log: Log): TokenFile {
  try {
    return new TokenFile(file, log)
  } catch (error) {
    throw usage((error as Error).message)
  }
}

async function closeInTime(closeAll: ReadonlyArray<() => Promise<void>>): Promise<void> {
  const closed = Promise.allSettled(closeAll.map(close => close()))
  await Promise.race([closed, new Promise(resolve => setTimeout(resolve, CLOSE_WITHIN_MS))])
}
