import type { AuditSink } from '../access/audit.ts'
import { endServer, type ServerProcess, startServer } from '../wrap/channels/child-process.ts'
import { createLog } from '../wrap/log.ts'
import { checked } from './option-values.ts'
import { wrapCommandLine } from './wrap-command-line.ts'
import { KEYS_VARIABLE, type WrapArguments, wrapArguments } from './wrap-options.ts'

export function wrapCommand() {
  return wrapCommandLine().action(async (command, values) => {
    process.exitCode = await startWrap(await wrapArguments(command, values, process.env))
  })
}

/**
 * Starts the server. All else is loaded, and the store opened, while the server starts, so this file imports little. Resolves
 * with the exit code when it is over.
 */
async function startWrap(args: WrapArguments): Promise<number> {
  delete process.env[KEYS_VARIABLE]
  if ('servers' in args.target) {
    const { markWrapped } = await import('./servers-target.ts')
    markWrapped(args.target.servers.file, process.env)
  }
  const log = createLog({ level: args.logLevel, json: args.json })
  const server = firstServer(args)
  let endTelemetry = async () => {}
  try {
    if (args.otel) endTelemetry = await (await import('./otel.ts')).beginTelemetry(log)
    ;(await import('./compile-cache.ts')).keepCompiled()
    const opening = import('./open-store.ts').then(({ openStore }) => openStore(args, log))
    const [store, { wrap }] = await Promise.all([opening, import('./wrap.ts')])
    return await wrap({ args, store, audit: await auditOf(args), log, server })
  } finally {
    if (server) await endServer(server.child)
    await endTelemetry()
  }
}

/** @throws CommandFailed where the file cannot be written */
async function auditOf({ audit }: WrapArguments): Promise<AuditSink | undefined> {
  if (audit === undefined) return undefined
  const { auditFile } = await import('../audit/index.ts')
  return checked(() => auditFile(audit))
}

/** Over HTTP each client gets a server of its own, when it comes. */
function firstServer({ target, http }: WrapArguments): ServerProcess | undefined {
  return 'command' in target && !http ? startServer(target.command) : undefined
}
