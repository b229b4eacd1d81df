import { StoreUnavailable } from '../core/errors.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import { OLDER_FORMATS, STORE_FORMAT, unknownFormat } from './format.ts'
import type { Argument } from './redis-client.ts'
import { baseOf, cachesKey, channelBaseOf, formatKey } from './redis-keys.ts'
import type { RedisLink } from './redis-link.ts'
import type { Script } from './redis-lua.ts'
import type { StoreUsage } from './store.ts'
import type { Warnings } from './warnings.ts'

const READABLE = [STORE_FORMAT, ...OLDER_FORMATS].map(String)

export interface ServerOptions {
  /** What its operator calls it; without credentials. */
  readonly where: string
  readonly prefix: string
  readonly warnings: Warnings
  readonly open: () => Promise<RedisLink>
}

/** The server behind a store: connected on first use, and asked by cache. */
export class RedisServer {
  #policyIsKnown = false
  #opening: Promise<RedisLink> | undefined
  #closing: Promise<void> | undefined

  constructor(private readonly options: ServerOptions) {}

  async link(): Promise<RedisLink> {
    if (this.#closing) throw new StoreUnavailable(`The store on ${this.options.where} is closed.`)
    this.#opening ??= this.options.open().catch(error => {
      this.#opening = undefined
      throw error
    })
    const link = await this.#opening
    if (!this.#policyIsKnown) void this.#checkPolicy(link)
    return link
  }

  async run(script: Script, cacheName: string, args: readonly Argument[]): Promise<unknown> {
    const { prefix } = this.options
    const link = await this.link()
    return link.run(script, baseOf(prefix, cacheName), [channelBaseOf(prefix, cacheName), ...args])
  }

  /** A field of a hash that belongs to a reference. */
  async field(refId: RefId, key: string, field: string): Promise<Buffer | undefined> {
    const link = await this.link()
    // Sent together, in this order. Not by a script, which would copy a large value twice.
    const [format, bytes] = (await Promise.all([
      link.send('GET', formatKey(this.options.prefix, cacheNameOf(refId))),
      link.send('HGET', key, field),
    ])) as [Buffer | null, Buffer | null]
    const found = format ?? (bytes ? '1' : undefined)
    if (found && !READABLE.includes(String(found))) throw unknownFormat(found, this.options.where, 'prefix')
    return bytes ?? undefined
  }

  /** The names of the caches that were stored here. */
  async caches(): Promise<string[]> {
    const link = await this.link()
    return ((await link.send('SMEMBERS', cachesKey(this.options.prefix))) as Buffer[]).map(String).sort()
  }

  /** The entries of all caches under the prefix, and the memory of the whole server where the user may ask for it. */
  async usage(): Promise<StoreUsage> {
    const link = await this.link()
    const caches = await this.caches()
    const counts = await Promise.all(
      caches.map(cache => link.send('ZCARD', `${baseOf(this.options.prefix, cache)}:index`)),
    )
    const entries = counts.reduce<number>((sum, count) => sum + Number(count), 0)
    try {
      const { used_memory: bytes = 0, maxmemory = 0 } = await memoryOf(link)
      return {
        entries,
        bytes: Number(bytes),
        ...(Number(maxmemory) > 0 ? { maxBytes: Number(maxmemory) } : {}),
      }
    } catch {
      return { entries }
    }
  }

  /** Lets what is under way end first. Safe to call twice. */
  close(): Promise<void> {
    // A driver that could not be loaded has nothing to release.
    this.#closing ??= (async () => (await this.#opening?.catch(() => undefined))?.close())()
    return this.#closing
  }

  /** Beside the work. A server that is away is asked again later; one that does not say is left alone. */
  async #checkPolicy(link: RedisLink): Promise<void> {
    const { where, warnings } = this.options
    this.#policyIsKnown = true
    try {
      const { maxmemory_policy: policy } = await memoryOf(link)
      if (policy === undefined || policy === 'noeviction') return
      warnings.tell(
        'REFCACHE_REDIS_EVICTS',
        `${where} has maxmemory-policy ${policy}: when it is full it drops entries whose handles are held, and tasks in flight. Set it to noeviction.`,
      )
    } catch (error) {
      this.#policyIsKnown = /NOPERM|ERR /.test((error as Error).message)
    }
  }
}

async function memoryOf(link: RedisLink): Promise<Record<string, string | undefined>> {
  const info = String(await link.send('INFO', 'memory'))
  return Object.fromEntries([...info.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name, text]) => [name, text]))
}
