import { endServer, type ServerProcess, startServer } from '../wrap/child-process.ts'
import { createLog } from '../wrap/log.ts'
import { EXIT } from './exit.ts'
import { WRAP_HELP } from './help.ts'
import { KEYS_VARIABLE, parseWrapArguments, type WrapArguments } from './wrap-options.ts'

/**
 * `mcp-refcache wrap`: reads the command line and starts the server. All else is loaded, and the store opened, while the
 * server starts, so this file imports little. Resolves with the exit code when it is over.
 */
export async function startWrap(argv: readonly string[]): Promise<number> {
  const args = await parseWrapArguments(argv, process.env)
  if (args === 'help') {
    process.stdout.write(WRAP_HELP)
    return EXIT.ok
  }
  delete process.env[KEYS_VARIABLE]
  const log = createLog({ level: args.logLevel, json: args.json })
  const server = firstServer(args)
  try {
    ;(await import('./compile-cache.ts')).keepCompiled()
    const opening = import('./open-store.ts').then(({ openStore }) => openStore(args, log))
    const [store, { wrap }] = await Promise.all([opening, import('./wrap.ts')])
    return await wrap({ args, store, log, server })
  } finally {
    if (server) await endServer(server.child)
  }
}

/** Over HTTP each client gets a server of its own, when it comes. */
function firstServer({ target, http }: WrapArguments): ServerProcess | undefined {
  return 'command' in target && !http ? startServer(target.command) : undefined
}
