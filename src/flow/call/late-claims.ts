import { Backoff } from '../../core/backoff.ts'
import type { Clock } from '../../core/clock.ts'
import { type Entry, isInFlight, type ProcessingEntry, type RemovedEntry } from '../../core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../../core/errors.ts'
import { Kept } from '../../core/kept.ts'
import { cacheNameOf, type RefId } from '../../core/ref.ts'
import type { Claim, OnChange, Payload, PayloadChanges, SegmentName, Store } from '../../stores/store.ts'
import { StoreInFront } from '../../stores/store-in-front.ts'
import {
  isNeeded,
  type UnstoredTask,
  type UnstoredValue,
  type Watcher,
  weightOf,
  withChanges,
} from './unstored-task.ts'

/** Work that runs so long gets its entry, so that whoever comes back finds it. */
const STORED_AFTER_MS = 1_000

const TRIES = { firstMs: 250, maxMs: 5_000 }

/** Settled answers that nobody may have received: the same call of a tool that only reads finds them. */
const SETTLED_LIMITS = { maxCount: 500, maxWeight: 16 * 1024 * 1024, idleMs: 5 * 60_000 }

/**
 * The store, for tasks whose entries are claimed when they are first needed. Until then a task's entry is here, in this process
 * alone, and all that the flow does with it works as on any store. What was stored once is never here again.
 */
export class LateClaims extends StoreInFront {
  readonly #tasks = new Map<RefId, UnstoredTask>()
  readonly #settled: Kept<UnstoredTask>

  /** @param isAwaited whether a caller in this process waits for the outcome of a task */
  constructor(
    store: Store,
    private readonly clock: Clock,
    private readonly isAwaited: (refId: RefId) => boolean,
  ) {
    super(store)
    this.#settled = new Kept(clock, SETTLED_LIMITS)
  }

  /**
   * Begins a task without storing anything.
   * @param input its input, if it comes to be stored
   * @param elapsed how long its work is under way already, in milliseconds
   */
  hold(entry: ProcessingEntry, input: () => Promise<Uint8Array>, elapsed = 0): Claim {
    const storeIn = Math.max(0, STORED_AFTER_MS - elapsed)
    const task: UnstoredTask = {
      entry,
      value: {},
      segments: new Map(),
      input,
      watchers: new Set(),
      isWanted: false,
      storing: undefined,
      cancelTimer: this.clock.schedule(storeIn, () => this.keepTrying(entry.refId), 'background'),
    }
    this.#tasks.set(entry.refId, task)
    return { won: true, entry }
  }

  /** Whether nothing is stored under a reference that a call of this process has. */
  isUnstored(refId: RefId): boolean {
    return this.#find(refId) !== undefined
  }

  /** Stores the entry as it is now; nothing where it is stored. @throws StoreUnavailable */
  async storeNow(refId: RefId): Promise<void> {
    const task = this.#find(refId)
    if (!task) return
    task.isWanted = true
    task.storing ??= this.#store(task, task.entry, task.value).finally(() => {
      task.storing = undefined
    })
    await task.storing
  }

  /** The same, again and again while the store is away. */
  keepTrying(refId: RefId, backoff = new Backoff(TRIES)): void {
    if (!this.isUnstored(refId)) return
    this.storeNow(refId).catch(error => {
      const task = this.#find(refId)
      if (!task || !(error instanceof StoreUnavailable)) return
      task.cancelTimer = this.clock.schedule(
        backoff.next(),
        () => this.keepTrying(refId, backoff),
        'background',
      )
    })
  }

  /** Its caller has its answer. Where that is the end of the task, nothing of it will be stored. */
  release(refId: RefId): void {
    const task = this.#tasks.get(refId)
    if (!task || isInFlight(task.entry) || this.isAwaited(refId)) return
    task.cancelTimer()
    this.#tasks.delete(refId)
    this.#settled.put({ refId, expiresAt: task.entry.expiresAt }, task, 1_000 + weightOf(task))
  }

  sweep(): void {
    this.#settled.sweep()
  }

  override async get(refId: RefId): Promise<Entry | undefined> {
    return this.#find(refId)?.entry ?? this.store.get(refId)
  }

  override async read(refId: RefId, payload: Payload): Promise<Uint8Array | undefined> {
    const task = this.#find(refId)
    if (!task) return this.store.read(refId, payload)
    return payload === 'input' ? task.input() : task.value[payload]
  }

  override async stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    const { refId, valueId, position } = segment
    const task = this.#tasks.get(refId)
    if (!task) return this.store.stage(segment, bytes, now)
    if (task.storing) {
      await task.storing.catch(() => {})
      return this.stage(segment, bytes, now)
    }
    const segments = task.segments.get(valueId) ?? []
    segments[position] = bytes
    task.segments.set(valueId, segments)
  }

  override async readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    const task = this.#find(segment.refId)
    return task ? task.segments.get(segment.valueId)?.[segment.position] : this.store.readSegment(segment)
  }

  override async update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    const task = this.#tasks.get(entry.refId)
    if (!task) return this.store.update(entry, expectedVersion, parts)
    if (task.storing) {
      await task.storing.catch(() => {})
      return this.update(entry, expectedVersion, parts)
    }
    const before = task.entry
    if (before.version !== expectedVersion) return false
    const value = withChanges(task.value, parts)
    // A question is durable before anybody can see it.
    if (entry.questions && !before.questions) {
      task.storing = this.#store(task, entry, value).finally(() => {
        task.storing = undefined
      })
      await task.storing
      return true
    }
    task.entry = entry
    task.value = value
    this.#notify(task)
    if (isNeeded(before, entry)) {
      task.isWanted = true
      await this.storeNow(entry.refId).catch(() => this.keepTrying(entry.refId))
    } else if (!isInFlight(entry) && !task.isWanted) this.release(entry.refId)
    return true
  }

  override async delete(refId: RefId): Promise<boolean> {
    return this.#drop(refId) || this.store.delete(refId)
  }

  override async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    for (const [refId, { entry }] of this.#tasks) {
      if (cacheNameOf(refId) !== cacheName) continue
      if (namespace === undefined || entry.namespace === namespace) this.#drop(refId)
    }
    this.#settled.clear()
    return this.store.clear(cacheName, namespace)
  }

  override watch(refId: RefId, onChange: OnChange): () => void {
    const task = this.#tasks.get(refId)
    if (!task) return this.store.watch(refId, onChange)
    const watcher: Watcher = { onChange, stop: () => task.watchers.delete(watcher) }
    task.watchers.add(watcher)
    return () => watcher.stop()
  }

  override noteUse(refId: RefId, now: number): void {
    if (!this.#find(refId)) this.store.noteUse?.(refId, now)
  }

  override close(): Promise<void> {
    for (const refId of [...this.#tasks.keys()]) this.#drop(refId)
    this.#settled.clear()
    return this.store.close()
  }

  #find(refId: RefId): UnstoredTask | undefined {
    return this.#tasks.get(refId) ?? this.#settled.get(refId)
  }

  async #store(task: UnstoredTask, entry: Entry, value: UnstoredValue): Promise<void> {
    // A finished task is never run again, so its input is not needed.
    const input = entry.status === 'complete' ? undefined : await task.input()
    const parts = { ...(input ? { input } : {}), ...value }
    await this.#stage(task)
    try {
      await this.store.claim(entry, this.clock.now(), parts)
    } catch (error) {
      // The answer to an earlier try was lost.
      if (!(error instanceof InvalidArgument)) throw error
      const stored = await this.store.get(entry.refId)
      if (!stored) throw error
      if (stored.version < entry.version) await this.store.update(entry, stored.version, parts)
    }
    task.entry = entry
    this.#leave(task)
  }

  async #stage({ entry: { refId }, segments }: UnstoredTask): Promise<void> {
    for (const [valueId, staged] of segments) {
      for (const [position, bytes] of staged.entries()) {
        await this.store.stage({ refId, valueId, position }, bytes, this.clock.now())
      }
    }
  }

  /** From now on the store tells of it. */
  #leave(task: UnstoredTask): void {
    const { refId, version } = task.entry
    task.cancelTimer()
    this.#tasks.delete(refId)
    this.#settled.drop(refId)
    for (const watcher of task.watchers) {
      watcher.stop = this.store.watch(refId, watcher.onChange)
      queueMicrotask(() => watcher.onChange(version))
    }
  }

  #drop(refId: RefId): boolean {
    const task = this.#find(refId)
    if (!task) return false
    task.cancelTimer()
    this.#tasks.delete(refId)
    this.#settled.drop(refId)
    for (const { onChange } of task.watchers) queueMicrotask(() => onChange())
    return true
  }

  #notify({ entry, watchers }: UnstoredTask): void {
    for (const { onChange } of watchers) queueMicrotask(() => onChange(entry.version))
  }
}
