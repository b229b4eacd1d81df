import type { Entry } from '../../../src/core/entry.ts'
import { RefCache, type RefId, StoreUnavailable, type TaskContext } from '../../../src/index.ts'
import type { PayloadChanges, Store } from '../../../src/stores/store.ts'
import type { FakeClock } from '../../../src/testing/fake-clock.ts'

export type ToolName = 'safe' | 'unsafe'

/** How long a process may be silent, and how long results and failures are kept, in the model's time. */
export const LEASE = 3_000
export const SWEEP = 1_000
export const TTL = 60_000
export const RETENTION = 30_000

/** One run of a handler, which the test ends. */
export interface Run {
  readonly refId: RefId
  readonly process: Process
  readonly signal: AbortSignal
  /** How the test ended it. */
  ended?: 'finish' | 'fail'
  finish(value: unknown): void
  fail(error: Error): void
}

/** A write that the store accepted. */
export interface Write {
  readonly by: Process
  /** Nothing: it was claimed. */
  readonly before: Entry | undefined
  /** Nothing: it was deleted. */
  readonly after: Entry | undefined
  readonly parts: PayloadChanges
}

/** Hears what a process does. */
export interface Journal {
  wrote(write: Write): void
  began(run: Run): void
}

/**
 * A process of a deployment, as far as one test can have several: it can be paused, lose its store, and crash
 * at any step.
 */
export class Process {
  readonly cache: RefCache
  readonly tools: Record<ToolName, (input: { n: number }) => Promise<{ refId: RefId }>>
  /** Resolves when it crashes. */
  readonly crashed: Promise<void>
  alive = true
  /** It may have been silent for too long at some time, because it was paused or its store was away. */
  wasSilent = false
  /** When it gave its last sign of life. */
  lastBeat: number | undefined
  #crash = () => {}
  #resumed: Promise<void> | undefined
  #resume = () => {}
  /** What the store still does: the last of it without anybody hearing of it. */
  #operationsLeft = Number.POSITIVE_INFINITY
  #stepsLeft = Number.POSITIVE_INFINITY

  constructor(store: Store, clock: FakeClock, journal: Journal) {
    this.crashed = new Promise(resolve => {
      this.#crash = resolve
    })
    this.cache = new RefCache({
      name: 'model',
      store: this.#gated(store, journal, () => clock.monotonic()),
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        schedule: (ms, callback) => clock.schedule(ms, () => void this.#whenAwake(callback)),
      },
      leaseDuration: LEASE,
      sweepInterval: SWEEP,
      taskRetention: RETENTION,
      // These handlers end when the model says, whatever their signal does.
      abortGrace: 0,
    })
    const tool = (name: ToolName) =>
      this.cache.cached(
        { name, idempotent: name === 'safe', asyncTimeout: 0, hardTimeout: null, ttl: TTL },
        (_: { n: number }, task) => this.#handle(task, journal),
      )
    this.tools = { safe: tool('safe'), unsafe: tool('unsafe') }
  }

  get paused(): boolean {
    return this.#resumed !== undefined
  }

  crash(): void {
    this.alive = false
    this.#crash()
  }

  /** Crashes soon: before its nth operation on the store from now (even numbers), or right after one (odd ones). */
  crashIn(halfSteps: number): void {
    this.#stepsLeft = halfSteps
  }

  pause(): void {
    this.wasSilent = true
    this.#resumed ??= new Promise(resolve => {
      this.#resume = resolve
    })
  }

  resume(): void {
    this.#resumed = undefined
    this.#resume()
  }

  /** The store goes away for this process after some operations; the last one is done, and nobody hears of it. */
  loseIn(operations: number): void {
    this.wasSilent = true
    this.#operationsLeft = operations
  }

  find(): void {
    this.#operationsLeft = Number.POSITIVE_INFINITY
  }

  #handle({ refId, signal }: TaskContext, journal: Journal): Promise<unknown> {
    return new Promise((finish, fail) => journal.began({ refId, process: this, signal, finish, fail }))
  }

  async #whenAwake(callback: () => void): Promise<void> {
    await this.#resumed
    if (this.alive) callback()
  }

  /** Sleeps where the process does, and ends where it ends: a dead process hears no more. */
  async #step(): Promise<void> {
    await this.#resumed
    if (this.#stepsLeft-- === 0) this.crash()
    if (!this.alive) await new Promise<never>(() => {})
  }

  async *#tasksOf(store: Store, ...args: Parameters<Store['tasksOf']>): AsyncGenerator<readonly RefId[]> {
    await this.#step()
    if (this.#operationsLeft-- <= 0) throw new StoreUnavailable('The store is away.')
    yield* store.tasksOf(...args)
  }

  #gated(store: Store, journal: Journal, now: () => number): Store {
    const gate =
      <Args extends unknown[], Result>(operation: (...args: Args) => Promise<Result>) =>
      async (...args: Args): Promise<Result> => {
        await this.#step()
        const left = this.#operationsLeft--
        if (left < 0) throw new StoreUnavailable('The store is away.')
        const result = await operation(...args)
        await this.#step()
        if (left === 0) throw new StoreUnavailable('The store went away.')
        return result
      }
    const told = (write: Omit<Write, 'by'>) => journal.wrote({ by: this, ...write })
    return {
      // To each other they are processes that share a store, even where that is the memory of one.
      capabilities: { durable: false, shared: true, watch: true },
      claim: gate(async (draft, now, parts = {}) => {
        const claim = await store.claim(draft, now, parts)
        if (claim.won) told({ before: undefined, after: claim.entry, parts })
        return claim
      }),
      update: gate(async (entry, expectedVersion, parts = {}) => {
        const before = await store.get(entry.refId)
        const updated = await store.update(entry, expectedVersion, parts)
        if (updated) told({ before, after: entry, parts })
        return updated
      }),
      delete: gate(async refId => {
        const before = await store.get(refId)
        const deleted = await store.delete(refId)
        if (deleted) told({ before, after: undefined, parts: {} })
        return deleted
      }),
      findByKey: gate((...args) => store.findByKey(...args)),
      get: gate(refId => store.get(refId)),
      beat: gate(async (...args) => {
        await store.beat(...args)
        this.lastBeat = now()
      }),
      owners: gate(cacheName => store.owners(cacheName)),
      tasksOf: (...args) => this.#tasksOf(store, ...args),
      read: gate((refId, part) => store.read(refId, part)),
      stage: gate((...args) => store.stage(...args)),
      readSegment: gate(segment => store.readSegment(segment)),
      peek: gate(refIds => store.peek(refIds)),
      match: gate((...args) => store.match(...args)),
      count: gate((...args) => store.count(...args)),
      caches: gate(() => store.caches()),
      changes: gate((...args) => store.changes(...args)),
      list: gate(filter => store.list(filter)),
      clear: gate((...args) => store.clear(...args)),
      prune: gate((...args) => store.prune(...args)),
      watch: (refId, onChange) => store.watch(refId, () => void this.#whenAwake(onChange)),
      close: () => store.close(),
    }
  }
}
