import { realpathSync } from 'node:fs'
import { readServersFile } from '../clients/read-servers.ts'
import { suggest } from '../core/suggest.ts'
import { defaultPath, pathOf } from '../stores/sqlite-place.ts'
import type { Config } from '../wrap/config-file.ts'
import type { SeveralServersTarget } from '../wrap/target.ts'
import { usage } from './exit.ts'
import { checked } from './option-values.ts'

/** Names, to servers that are started here, the files whose servers are wrapped: one of those may start this command again. */
const WRAPPED_FILES_VARIABLE = 'MCP_REFCACHE_WRAPS'

/** A JSON list: paths may have any character that could stand between them. */
function wrappedFiles(env: NodeJS.ProcessEnv): unknown[] {
  try {
    const files: unknown = JSON.parse(env[WRAPPED_FILES_VARIABLE] ?? '[]')
    return Array.isArray(files) ? files : []
  } catch {
    return []
  }
}

/** For a server of the file that starts this command with the same file. */
export function markWrapped(file: string, env: NodeJS.ProcessEnv): void {
  env[WRAPPED_FILES_VARIABLE] = JSON.stringify([...wrappedFiles(env), file])
}

/** The servers of a file, with what the settings say of them. @throws CommandFailed where it cannot be used */
export function serversTarget(
  path: string,
  { lazy = false, store }: { lazy?: boolean | undefined; store?: string | undefined },
  { servers: settings, naming }: Config,
  env: NodeJS.ProcessEnv,
): SeveralServersTarget {
  const { servers, leftOut } = checked(() => readServersFile(path, env))
  const file = realpathSync(path)
  if (wrappedFiles(env).includes(file)) {
    throw usage(`The servers of ${path} are being wrapped already: one of them starts this command again.`)
  }
  const names = servers.map(({ name }) => name)
  for (const name of Object.keys(settings)) {
    if (names.includes(name) || leftOut.some(one => one.name === name)) continue
    const meant = suggest(name, names)
    throw usage(
      `The config file has settings for the server '${name}', but ${path} names no such server.${meant ? ` Did you mean '${meant}'?` : ''}`,
    )
  }
  if (servers.length === 0) {
    const why = leftOut.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
    throw usage(`${path} names no server that can be wrapped${why === '' ? '.' : ` (${why}).`}`)
  }
  const aliases = Object.values(settings).flatMap(({ alias }) => (alias === undefined ? [] : [alias]))
  const twice = aliases.find((alias, at) => aliases.indexOf(alias) < at)
  if (twice !== undefined) throw usage(`Two servers have the alias '${twice}' in the config file.`)
  return { file, configured: servers, leftOut, settings, naming, isLazy: lazy, knownFile: fileBeside(store) }
}

/** Beside the store; nowhere, where that is in memory. */
function fileBeside(store: string | undefined): string | undefined {
  if (store === 'memory') return undefined
  try {
    return `${store === undefined ? defaultPath() : pathOf(store)}.servers.json`
  } catch {
    return undefined
  }
}
