import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isForeign } from '../../core/current-user.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import type { Log } from '../log.ts'
import { KINDS, type KnownServer, type KnownServers } from './known-servers.ts'

const FORMAT = 1
const MAX_BYTES = 64 * 1024 * 1024
/** Servers that nobody has configured for long would stay for ever: the newest are kept. */
const MAX_SERVERS = 200

/**
 * What is known of servers, in a file that is for this user alone (0600), so that a server need not run for its tools to be listed.
 * Wrappers that write at once lose a list of each other's at most: it is learnt again. What cannot be read or written is done without.
 */
export class KnownFile implements KnownServers {
  #servers: Map<string, KnownServer> | undefined

  constructor(
    private readonly path: string,
    private readonly log: Log,
    private readonly maxBytes = MAX_BYTES,
  ) {}

  of(scope: string): KnownServer | undefined {
    this.#servers ??= this.#read()
    return this.#servers.get(scope)
  }

  keep(scope: string, server: KnownServer): void {
    // Another wrapper may have written meanwhile.
    const servers = this.#read()
    servers.delete(scope)
    servers.set(scope, server)
    for (const [oldest] of servers) {
      if (servers.size <= MAX_SERVERS) break
      servers.delete(oldest)
    }
    this.#servers = servers
    this.#write(servers)
  }

  #read(): Map<string, KnownServer> {
    try {
      const { size, uid, mode } = statSync(this.path)
      // Somebody else could list tools in the name of a server.
      if (size > this.maxBytes || isForeign(uid) || (process.platform !== 'win32' && mode & 0o022))
        return new Map()
      const file = parseJson(readFileSync(this.path, 'utf8'))
      if (!isJsonObject(file) || Number(file.format) !== FORMAT || !isJsonObject(file.servers))
        return new Map()
      return new Map(Object.entries(file.servers).flatMap(([scope, one]) => serverIn(scope, one)))
    } catch {
      return new Map()
    }
  }

  #write(servers: ReadonlyMap<string, KnownServer>): void {
    const temporary = `${this.path}.${randomBytes(4).toString('hex')}`
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
      writeFileSync(temporary, textOf(servers, this.maxBytes), { mode: 0o600, flag: 'wx' })
      renameSync(temporary, this.path)
    } catch (error) {
      rmSync(temporary, { force: true })
      const { code } = error as NodeJS.ErrnoException
      this.log.warn(
        'lists_not_kept',
        `The servers' lists of tools could not be kept in ${this.path} (${code}).`,
      )
    }
  }
}

const BEGIN = `{"format":${FORMAT},"servers":{`
const END = '}}'

/** The newest of them, as many as will be read again. */
function textOf(servers: ReadonlyMap<string, KnownServer>, maxBytes: number): string {
  const texts: string[] = []
  let bytes = Buffer.byteLength(BEGIN + END)
  for (const [scope, server] of [...servers].reverse()) {
    const text = `${JSON.stringify(scope)}:${stringifyJson(server as unknown as JsonObject)}`
    bytes += Buffer.byteLength(text) + 1
    if (bytes > maxBytes) break
    texts.unshift(text)
  }
  return BEGIN + texts.join(',') + END
}

function serverIn(scope: string, value: JsonValue): Array<[string, KnownServer]> {
  if (!isJsonObject(value) || !isJsonObject(value.lists)) return []
  const { introduction, lists } = value
  const known: KnownServer = { lists: {} }
  if (isJsonObject(introduction)) known.introduction = introduction
  for (const kind of KINDS) {
    const list = lists[kind]
    if (Array.isArray(list)) known.lists[kind] = list
  }
  return [[scope, known]]
}
