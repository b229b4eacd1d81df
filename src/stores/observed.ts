import type { Clock } from '../core/clock.ts'
import type { Entry, RemovedEntry } from '../core/entry.ts'
import { RefCacheError, StoreUnavailable } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { RefId } from '../core/ref.ts'
import type { TokenCounts } from '../core/token-savings.ts'
import { channels, isHeard, trace } from '../telemetry/channels.ts'
import type { StoreOperation } from '../telemetry/messages.ts'
import type {
  Changes,
  Claim,
  EntryCount,
  HourOfSavings,
  ListFilter,
  Payload,
  PayloadChanges,
  ProcessTime,
  SegmentName,
  Store,
  StoreTime,
  StoreUsage,
  TaskOwner,
} from './store.ts'
import { StoreInFront } from './store-in-front.ts'

/** Reading may work while writing does not, as on a full disk, and a small write where a value has no room. */
type Kind = 'read' | 'write' | 'value' | 'remove'

/** A store that fails and works in turns is told of so often in a minute. */
const MAX_TOLD = 5
const MINUTE_MS = 60_000

/** Which kind each operation is of. An update is of another kind where it brings a value. */
const KINDS: Record<StoreOperation, Kind> = {
  claim: 'write',
  findByKey: 'read',
  get: 'read',
  read: 'read',
  stage: 'value',
  readSegment: 'read',
  update: 'write',
  delete: 'remove',
  list: 'read',
  peek: 'read',
  match: 'read',
  count: 'read',
  caches: 'read',
  changes: 'read',
  clear: 'remove',
  prune: 'remove',
  time: 'remove',
  beat: 'write',
  owners: 'read',
  usage: 'read',
  addSavings: 'write',
  savings: 'read',
}

/** Who hears how the store does. */
export interface Observers {
  readonly logger: Logger
  readonly clock: Clock
  /** The cache that the store serves here, in what is told of each operation. */
  readonly cache: string
}

/** The store, whose operator hears when it begins to fail, and when it works again; and of each operation, who listens to those. */
export function observed(store: Store, { logger, clock, cache }: Observers): Store {
  return new ObservedStore(store, new Trouble(logger, clock), cache)
}

class ObservedStore extends StoreInFront {
  constructor(
    store: Store,
    private readonly trouble: Trouble,
    private readonly cache: string,
  ) {
    super(store)
  }

  override claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim> {
    return this.#observe(
      'claim',
      () => this.store.claim(draft, now, parts),
      ({ won }) => won,
    )
  }

  override findByKey(cacheName: string, key: string, now: number): Promise<Entry | undefined> {
    return this.#observe('findByKey', () => this.store.findByKey(cacheName, key, now))
  }

  override get(refId: RefId): Promise<Entry | undefined> {
    return this.#observe('get', () => this.store.get(refId))
  }

  override read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    return this.#observe('read', () => this.store.read(refId, part))
  }

  override stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    // That one segment has room says nothing of the value.
    return this.#observe(
      'stage',
      () => this.store.stage(segment, bytes, now),
      () => false,
    )
  }

  override readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    return this.#observe('readSegment', () => this.store.readSegment(segment))
  }

  override update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    const kind = parts?.value || parts?.index ? 'value' : undefined
    return this.#observe('update', () => this.store.update(entry, expectedVersion, parts), Boolean, kind)
  }

  override delete(refId: RefId): Promise<boolean> {
    return this.#observe('delete', () => this.store.delete(refId))
  }

  override list(filter: ListFilter): Promise<Entry[]> {
    return this.#observe('list', () => this.store.list(filter))
  }

  override peek(refIds: readonly RefId[]): Promise<Entry[]> {
    return this.#observe('peek', () => this.store.peek(refIds))
  }

  override match(prefix: string, limit: number): Promise<RefId[]> {
    return this.#observe('match', () => this.store.match(prefix, limit))
  }

  override count(cacheName: string, now: number): Promise<EntryCount[]> {
    return this.#observe('count', () => this.store.count(cacheName, now))
  }

  override caches(): Promise<string[]> {
    return this.#observe('caches', () => this.store.caches())
  }

  override changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes> {
    return this.#observe('changes', () => this.store.changes(cacheName, cursor, limit))
  }

  override clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    return this.#observe('clear', () => this.store.clear(cacheName, namespace))
  }

  override prune(now: number, limit: number): Promise<RemovedEntry[]> {
    return this.#observe('prune', () => this.store.prune(now, limit))
  }

  override async time(cacheName: string, own: ProcessTime): Promise<StoreTime | undefined> {
    return this.store.time && this.#observe('time', async () => this.store.time?.(cacheName, own))
  }

  override beat(cacheName: string, process: string): Promise<void> {
    return this.#observe('beat', () => this.store.beat(cacheName, process))
  }

  override owners(cacheName: string): Promise<TaskOwner[]> {
    return this.#observe('owners', () => this.store.owners(cacheName))
  }

  override async usage(): Promise<StoreUsage | undefined> {
    return this.store.usage && this.#observe('usage', async () => this.store.usage?.())
  }

  override async addSavings(cacheName: string, hour: number, more: TokenCounts): Promise<void> {
    const add = async () => this.store.addSavings?.(cacheName, hour, more)
    if (this.store.addSavings) await this.#observe('addSavings', add)
  }

  override async savings(since: number): Promise<HourOfSavings[]> {
    return (await this.#observe('savings', async () => this.store.savings?.(since))) ?? []
  }

  override close(): Promise<void> {
    this.trouble.end()
    return this.store.close()
  }

  /** @param proves whether the outcome shows that the medium works, where it may be answered without it */
  async #observe<T>(
    operation: StoreOperation,
    work: () => Promise<T>,
    proves: (outcome: T) => boolean = () => true,
    kind = KINDS[operation],
  ) {
    try {
      const { store: channel } = channels
      const outcome = await (isHeard(channel)
        ? trace(channel, { cache: this.cache, operation }, work)
        : work())
      if (proves(outcome)) this.trouble.works(kind)
      return outcome
    } catch (error) {
      if (isTrouble(error)) this.trouble.fails(kind, error)
      throw error
    }
  }
}

/** An error of another kind is about what was asked for. */
function isTrouble(error: unknown): boolean {
  return error instanceof StoreUnavailable || !(error instanceof RefCacheError)
}

/** Says once that trouble begins, and once that it is over. */
class Trouble {
  readonly #failing = new Set<Kind>()
  #since = 0
  #told: number[] = []
  /** Whether the operator knows of the present trouble. */
  #isTold = false
  #ended = false

  constructor(
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  fails(kind: Kind, error: unknown): void {
    if (this.#ended) return
    const begins = this.#failing.size === 0
    this.#failing.add(kind)
    const now = this.clock.monotonic()
    if (begins) this.#since = now
    if (this.#isTold) return
    this.#told = this.#told.filter(at => now - at < MINUTE_MS)
    if (this.#told.length >= MAX_TOLD) return
    this.#told.push(now)
    this.#isTold = true
    const message = error instanceof Error ? error.message : 'it failed without a message'
    this.logger.error(`The store of the cache cannot be used: ${message}`)
  }

  works(kind: Kind): void {
    if (!this.#failing.delete(kind)) return
    // Where more than writing failed, the whole store was away, and is back.
    if (kind === 'read' || kind === 'remove') this.#failing.clear()
    if (this.#failing.size > 0 || this.#ended || !this.#isTold) return
    this.#isTold = false
    const seconds = Math.round((this.clock.monotonic() - this.#since) / 1000)
    this.logger.warn(`The store of the cache works again, after ${seconds} s.`)
  }

  /** What fails after the store was closed is no news. */
  end(): void {
    this.#ended = true
  }
}
