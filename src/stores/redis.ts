import { type Duration, toMilliseconds } from '../core/duration.ts'
import { type Entry, parseEntry, type RemovedEntry } from '../core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import type { TokenCounts } from '../core/token-savings.ts'
import { FORMAT_SUFFIX } from './format.ts'
import { parseAddress, urlOfEnvironment } from './redis-address.ts'
import { bytesArgument, fieldsOf, partArguments } from './redis-arguments.ts'
import { RedisChanges } from './redis-changes.ts'
import { connector, type IoredisClient, type NodeRedisClient } from './redis-client.ts'
import { RedisIndex } from './redis-index.ts'
import { baseOf, cachesKey, checkPrefix, idOf } from './redis-keys.ts'
import { RedisLink } from './redis-link.ts'
import { RedisOwners } from './redis-owners.ts'
import { RedisRemoval } from './redis-removal.ts'
import { RedisSavings } from './redis-savings.ts'
import { BEAT, CLAIM, DELETE, FIND, STAGE, UPDATE } from './redis-scripts.ts'
import { RedisServer } from './redis-server.ts'
import type {
  Changes,
  Claim,
  EntryCount,
  HourOfSavings,
  ListFilter,
  OnChange,
  Payload,
  PayloadChanges,
  SegmentName,
  Store,
  StoreTime,
  StoreUsage,
  TaskOwner,
} from './store.ts'
import { Warnings } from './warnings.ts'

export type { IoredisClient, NodeRedisClient } from './redis-client.ts'

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /**
   * What all keys and channels begin with.
   * @defaultValue 'mcp-refcache:'
   */
  readonly prefix?: string | undefined
  /**
   * How long to wait for a connection, and then for an answer, before `StoreUnavailable`. Raise it for large
   * values on slow networks.
   * @defaultValue '2s'
   */
  readonly operationTimeout?: Duration | undefined
  /**
   * How often watched entries are looked at while Redis cannot tell of their changes.
   * @defaultValue '500ms'
   */
  readonly pollInterval?: Duration | undefined
}

const DEFAULT_LIST_LIMIT = 100
/** Long enough for a process that computes for seconds without a pause to keep its connection. */
const MIN_SILENCE_MS = 10_000

/**
 * A store on a Redis or Valkey server, for any number of processes on any number of machines. It connects on first
 * use, by `@redis/client` or by the client that is given, and again by itself whenever the connection is lost.
 * The connection keeps the process alive until `close`.
 *
 * A given client is the caller's to connect and to close; the store makes one duplicate of it, for subscriptions.
 *
 * A server that may evict entries is told of at the first use: a handle that somebody holds would be gone.
 *
 * @param urlOrClient `redis://` or, with TLS, `rediss://user:password@host:port/database`; without it, what `REDIS_URL`
 *   says in the environment.
 * @throws InvalidArgument when the URL or an option is malformed, or nothing names a server.
 */
export function redisStore(
  urlOrClient: string | NodeRedisClient | IoredisClient = urlOfEnvironment(),
  options: RedisStoreOptions = {},
): Store {
  return new RedisStore(urlOrClient, options)
}

class RedisStore implements Store {
  readonly capabilities = { durable: true, shared: true, watch: true }
  readonly #prefix: string
  readonly #where: string
  readonly #server: RedisServer
  readonly #index: RedisIndex
  readonly #owners: RedisOwners
  readonly #savings: RedisSavings
  readonly #removal: RedisRemoval
  readonly #changes: RedisChanges
  /** Caches of which the server has been told that they exist. */
  readonly #known = new Set<string>()
  readonly #warnings = new Warnings()
  #closing: Promise<void> | undefined

  constructor(server: string | NodeRedisClient | IoredisClient, options: RedisStoreOptions) {
    const {
      prefix = `mcp-refcache${FORMAT_SUFFIX}:`,
      operationTimeout = '2s',
      pollInterval = '500ms',
    } = options
    const timeoutMs = toMilliseconds(operationTimeout, 'operationTimeout')
    const pollMs = toMilliseconds(pollInterval, 'pollInterval')
    const { where, secrets } =
      typeof server === 'string' ? parseAddress(server) : { where: 'Redis', secrets: [] }
    const connect = connector(server, Math.max(timeoutMs * 5, MIN_SILENCE_MS))
    this.#prefix = checkPrefix(prefix)
    this.#where = where
    this.#server = new RedisServer({
      where,
      prefix,
      warnings: this.#warnings,
      open: async () => new RedisLink(await connect(), where, secrets, timeoutMs),
    })
    this.#index = new RedisIndex(this.#server)
    this.#owners = new RedisOwners(this.#server)
    this.#savings = new RedisSavings(this.#server)
    this.#removal = new RedisRemoval(this.#server)
    this.#changes = new RedisChanges(async () => (await this.#server.link()).duplicate(), prefix, pollMs)
  }

  async claim(draft: Entry, now: number, parts: PayloadChanges = {}): Promise<Claim> {
    const cacheName = cacheNameOf(draft.refId)
    if (!this.#known.has(cacheName)) await this.#register(cacheName)
    const record = stringifyJson(draft)
    const args = [...fieldsOf(draft, record), String(now), ...partArguments(parts)]
    const [outcome, detail] = (await this.#server.run(CLAIM, cacheName, args)) as [number, Buffer | number]
    if (outcome === 0) return { won: false, entry: this.#entryOf(detail as Buffer) }
    if (outcome === -1) throw new InvalidArgument(`${draft.refId} is stored already.`)
    // The server may have been emptied since it was told. A claim that is won stays so: if need be, the next one tells.
    if (detail === 1) await this.#register(cacheName).catch(() => this.#known.delete(cacheName))
    this.#changes.notify(draft.refId, draft.version)
    return { won: true, entry: parseJson(record) as unknown as Entry }
  }

  async findByKey(cacheName: string, key: string, now: number): Promise<Entry | undefined> {
    const record = (await this.#server.run(FIND, cacheName, [key, String(now)])) as Buffer | null
    return record ? this.#entryOf(record) : undefined
  }

  async get(refId: RefId): Promise<Entry | undefined> {
    const record = await this.#server.field(refId, this.#entryKey(refId), 'record')
    return record && this.#entryOf(record)
  }

  async read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    return this.#server.field(refId, this.#entryKey(refId), part)
  }

  async stage({ refId, valueId, position }: SegmentName, bytes: Uint8Array): Promise<void> {
    const args = [idOf(refId), valueId, String(position), bytesArgument(bytes)]
    await this.#server.run(STAGE, cacheNameOf(refId), args)
  }

  async readSegment({ refId, valueId, position }: SegmentName): Promise<Uint8Array | undefined> {
    const base = baseOf(this.#prefix, cacheNameOf(refId))
    return this.#server.field(refId, `${base}:value:${idOf(refId)}:${valueId}`, String(position))
  }

  async update(entry: Entry, expectedVersion: number, parts: PayloadChanges = {}): Promise<boolean> {
    const fields = fieldsOf(entry, stringifyJson(entry))
    const args = [...fields, String(expectedVersion), ...partArguments(parts)]
    const updated = (await this.#server.run(UPDATE, cacheNameOf(entry.refId), args)) === 1
    if (updated) this.#changes.notify(entry.refId, entry.version)
    return updated
  }

  async delete(refId: RefId): Promise<boolean> {
    const deleted = (await this.#server.run(DELETE, cacheNameOf(refId), [idOf(refId)])) === 1
    if (deleted) this.#changes.notify(refId)
    return deleted
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    const { statuses, limit = DEFAULT_LIST_LIMIT } = filter
    const records = statuses?.length === 0 ? [] : await this.#index.list(filter, limit)
    return records.map(record => this.#entryOf(record))
  }

  async peek(refIds: readonly RefId[]): Promise<Entry[]> {
    const records = await this.#index.peek(refIds)
    return records.map(record => this.#entryOf(record))
  }

  match(prefix: string, limit: number): Promise<RefId[]> {
    return this.#index.match(prefix, limit)
  }

  count(cacheName: string, now: number): Promise<EntryCount[]> {
    return this.#index.count(cacheName, now)
  }

  caches(): Promise<string[]> {
    return this.#server.caches()
  }

  changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes> {
    return this.#index.changes(cacheName, cursor, limit)
  }

  async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    return this.#removal.clear(cacheName, namespace)
  }

  async prune(now: number, limit: number): Promise<RemovedEntry[]> {
    return this.#removal.prune(now, limit)
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    return this.#changes.watch(refId, onChange)
  }

  async time(cacheName: string): Promise<StoreTime> {
    const [seconds, micros, wrote] = (await this.#server.run(BEAT, cacheName, [])) as [Buffer, Buffer, number]
    const now = Number(seconds) * 1000 + Number(micros) / 1000
    return { now, earliest: now, from: 'store', takesWrites: wrote === 1 }
  }

  beat(cacheName: string, process: string): Promise<void> {
    return this.#owners.beat(cacheName, process)
  }

  owners(cacheName: string): Promise<TaskOwner[]> {
    return this.#owners.list(cacheName)
  }

  tasksOf(cacheName: string, process: string): AsyncGenerator<RefId[]> {
    return this.#owners.tasksOf(cacheName, process)
  }

  async addSavings(cacheName: string, hour: number, more: TokenCounts): Promise<void> {
    if (!this.#known.has(cacheName)) await this.#register(cacheName)
    await this.#savings.add(cacheName, hour, more)
  }

  savings(since: number): Promise<HourOfSavings[]> {
    return this.#savings.since(since)
  }

  warnTo(warn: (message: string) => void): void {
    this.#warnings.to(warn)
  }

  usage(): Promise<StoreUsage> {
    return this.#server.usage()
  }

  close(): Promise<void> {
    if (!this.#closing) this.#changes.close()
    this.#closing ??= this.#server.close()
    return this.#closing
  }

  #entryKey(refId: RefId): string {
    return `${baseOf(this.#prefix, cacheNameOf(refId))}:entry:${idOf(refId)}`
  }

  /** Told before the first entry, so that no entry is in a cache that `prune` does not know of. */
  async #register(cacheName: string): Promise<void> {
    const link = await this.#server.link()
    await link.send('SADD', cachesKey(this.#prefix), cacheName)
    this.#known.add(cacheName)
  }

  #entryOf(record: Buffer): Entry {
    try {
      return parseEntry(record.toString())
    } catch (cause) {
      throw new StoreUnavailable(`${this.#where} holds a damaged entry: choose another prefix.`, { cause })
    }
  }
}
