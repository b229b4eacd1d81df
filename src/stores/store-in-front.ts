import type { Entry, RemovedEntry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { TokenCounts } from '../core/token-savings.ts'
import type {
  Changes,
  Claim,
  EntryCount,
  HourOfSavings,
  ListFilter,
  OnChange,
  Payload,
  PayloadChanges,
  ProcessTime,
  SegmentName,
  Store,
  StoreCapabilities,
  StoreTime,
  StoreUsage,
  TaskOwner,
} from './store.ts'

/** A store in front of another one, which passes everything on. What extends it says only what it does otherwise. */
export class StoreInFront implements Store {
  constructor(protected readonly store: Store) {}

  get capabilities(): StoreCapabilities {
    return this.store.capabilities
  }

  claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim> {
    return this.store.claim(draft, now, parts)
  }

  findByKey(cacheName: string, key: string, now: number): Promise<Entry | undefined> {
    return this.store.findByKey(cacheName, key, now)
  }

  get(refId: RefId): Promise<Entry | undefined> {
    return this.store.get(refId)
  }

  read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    return this.store.read(refId, part)
  }

  stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    return this.store.stage(segment, bytes, now)
  }

  readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    return this.store.readSegment(segment)
  }

  update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    return this.store.update(entry, expectedVersion, parts)
  }

  delete(refId: RefId): Promise<boolean> {
    return this.store.delete(refId)
  }

  list(filter: ListFilter): Promise<Entry[]> {
    return this.store.list(filter)
  }

  peek(refIds: readonly RefId[]): Promise<Entry[]> {
    return this.store.peek(refIds)
  }

  match(prefix: string, limit: number): Promise<RefId[]> {
    return this.store.match(prefix, limit)
  }

  count(cacheName: string, now: number): Promise<EntryCount[]> {
    return this.store.count(cacheName, now)
  }

  caches(): Promise<string[]> {
    return this.store.caches()
  }

  changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes> {
    return this.store.changes(cacheName, cursor, limit)
  }

  clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    return this.store.clear(cacheName, namespace)
  }

  prune(now: number, limit: number): Promise<RemovedEntry[]> {
    return this.store.prune(now, limit)
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    return this.store.watch(refId, onChange)
  }

  async time(cacheName: string, own: ProcessTime): Promise<StoreTime | undefined> {
    return this.store.time?.(cacheName, own)
  }

  beat(cacheName: string, process: string): Promise<void> {
    return this.store.beat(cacheName, process)
  }

  owners(cacheName: string): Promise<TaskOwner[]> {
    return this.store.owners(cacheName)
  }

  tasksOf(cacheName: string, process: string): AsyncIterable<readonly RefId[]> {
    return this.store.tasksOf(cacheName, process)
  }

  noteUse(refId: RefId, now: number): void {
    this.store.noteUse?.(refId, now)
  }

  async usage(): Promise<StoreUsage | undefined> {
    return this.store.usage?.()
  }

  async addSavings(cacheName: string, hour: number, more: TokenCounts): Promise<void> {
    await this.store.addSavings?.(cacheName, hour, more)
  }

  async savings(since: number): Promise<HourOfSavings[]> {
    return (await this.store.savings?.(since)) ?? []
  }

  warnTo(warn: (message: string) => void): void {
    this.store.warnTo?.(warn)
  }

  close(): Promise<void> {
    return this.store.close()
  }
}
