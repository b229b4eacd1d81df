import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, resolve, sep } from 'node:path'
import * as util from 'node:util'
import { InvalidArgument } from '../core/errors.ts'
import type { ConfiguredServer, HttpTransport, StdioTransport, Transport } from './configured-server.ts'
import { ownWrapperIn } from './own-wrapper.ts'
import { type ClientConfig, parseClientConfig } from './parse-config.ts'
import { fill, type Surroundings, Unfilled } from './placeholders.ts'

/** The servers of a file that can be started, and why others cannot. */
export interface ServersFile {
  readonly servers: readonly ConfiguredServer[]
  /** Entries that are left out on purpose, with the reason: disabled, or this program itself. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[]
}

/**
 * Reads a client's configuration and fills its placeholders. What cannot be filled makes its server `unusable`, with the reason.
 * @throws InvalidArgument when the file cannot be read
 */
export function readServersFile(
  path: string,
  env: NodeJS.ProcessEnv = process.env,
  cwd = process.cwd(),
): ServersFile {
  const file = resolve(cwd, path)
  const folder = folderOf(file, cwd)
  const around = { env, home: homedir(), folder, separator: sep }
  const config = parseClientConfig(textOf(file, path), path, cwd)
  const read = config.servers.map(server => readServer(server, around, config))
  return {
    servers: read.flatMap(one => ('server' in one ? [one.server] : [])),
    leftOut: read.flatMap(one => ('reason' in one ? [{ name: one.name, reason: one.reason }] : [])),
  }
}

/** The project that a file belongs to, such as the one of `.vscode/mcp.json`. */
function folderOf(file: string, cwd: string): string {
  const folder = dirname(file)
  if (['.vscode', '.cursor', '.zed', '.codex'].includes(basename(folder))) return dirname(folder)
  return basename(file) === '.mcp.json' ? folder : cwd
}

function textOf(file: string, path: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new InvalidArgument(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause })
  }
}

function readServer(
  server: ConfiguredServer,
  around: Surroundings,
  config: ClientConfig,
): { server: ConfiguredServer } | { name: string; reason: string } {
  const { name } = server
  if (server.disabled) return { name, reason: 'it is disabled in the file' }
  const own = server.transport.kind === 'stdio' ? ownWrapperIn(server.transport) : undefined
  if (own?.kind === 'servers') return { name, reason: 'it is mcp-refcache with --servers itself' }
  return { server: { ...server, transport: filled(own?.transport ?? server.transport, around, config) } }
}

function filled(transport: Transport, around: Surroundings, { language, inputs }: ClientConfig): Transport {
  // Codex knows no placeholders.
  const inText = (text: string) => (language === 'toml' ? text : fill(text, around, inputs))
  try {
    if (transport.kind === 'stdio') return filledStdio(transport, around, inText)
    return transport.kind === 'http' ? filledHttp(transport, around, inText) : transport
  } catch (error) {
    if (!(error instanceof Unfilled)) throw error
    return { kind: 'unusable', problem: error.message }
  }
}

function filledStdio(
  { command, args, env, cwd, envFile }: StdioTransport,
  around: Surroundings,
  inText: (text: string) => string,
): StdioTransport {
  const filled: StdioTransport = {
    kind: 'stdio',
    command: inText(command),
    args: args.map(inText),
    env: {
      ...(envFile === undefined ? {} : variablesIn(inText(envFile), around.folder)),
      ...mapValues(env, inText),
    },
    ...(cwd === undefined ? {} : { cwd: resolve(around.folder, inText(cwd)) }),
  }
  // Node would say the whole value in its error.
  const texts = [filled.command, filled.cwd ?? '', ...filled.args, ...Object.entries(filled.env).flat()]
  if (texts.some(text => text.includes('\0'))) throw new Unfilled('it holds a NUL character')
  return filled
}

function filledHttp(
  { url, headers, headersFromEnv = {} }: HttpTransport,
  { env }: Surroundings,
  inText: (text: string) => string,
): Transport {
  const address = inText(url)
  if (!URL.canParse(address) || !/^https?:/i.test(address)) {
    return { kind: 'unusable', problem: 'its url is no http:// or https:// address' }
  }
  const { username, password } = new URL(address)
  if (username !== '' || password !== '') {
    return { kind: 'unusable', problem: 'its url holds a user or a password: put them into a header' }
  }
  const fromEnv = Object.entries(headersFromEnv).map(([header, { variable, prefix }]) => {
    const value = env[variable]
    if (value === undefined)
      throw new Unfilled(`the variable ${variable} of its header ${header} is not set in the environment`)
    return [header, `${prefix}${value}`] as const
  })
  const all = { ...mapValues(headers, inText), ...Object.fromEntries(fromEnv) }
  const wrong = Object.entries(all).find(([name, value]) => !isHeader(name, value))
  if (wrong) throw new Unfilled(`its header ${wrong[0]} has characters that no header can have`)
  return { kind: 'http', url: address, headers: all }
}

/** Whoever tries it later says the value in the error. */
function isHeader(name: string, value: string): boolean {
  try {
    new Headers([[name, value]])
    return true
  } catch {
    return false
  }
}

function variablesIn(envFile: string, folder: string): Record<string, string> {
  const path = isAbsolute(envFile) ? envFile : resolve(folder, envFile)
  if (!existsSync(path)) throw new Unfilled(`its envFile ${envFile} is not there`)
  if (!util.parseEnv) throw new Unfilled('reading its envFile needs Node 20.12 or newer')
  return util.parseEnv(readFileSync(path, 'utf8')) as Record<string, string>
}

function mapValues(
  values: Readonly<Record<string, string>>,
  change: (text: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))
}
