import type { Entry, EntryStatus, RemovedEntry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { TokenCounts } from '../core/token-savings.ts'

/**
 * Bytes that lie beside an entry: `input` is what the task needs to be run again, `value` is its result; of a large result
 * `index` instead, and segments. Encoded by `core/codec.ts`; a store never looks inside.
 */
export type Payload = 'input' | 'value' | 'index'

export const PAYLOADS: readonly Payload[] = ['input', 'value', 'index']

/** Parts to write in the same atomic step as the entry; `undefined` removes one. */
export type PayloadChanges = { readonly [P in Payload]?: Uint8Array | undefined }

/** One of the pieces that a large value is stored in. */
export interface SegmentName {
  readonly refId: RefId
  /** The value that it is a piece of: `Entry.segments` says which one an entry has. */
  readonly valueId: string
  /** From 0. */
  readonly position: number
}

/** So long after they were staged, segments that no entry has are left over from a process that died. */
export const STAGED_FOR_MS = 3_600_000

/** What a store can do. It decides which promises hold, and which cases of the store suite apply. */
export interface StoreCapabilities {
  /** Entries outlive the process. */
  readonly durable: boolean
  /** Other processes can share the entries. */
  readonly shared: boolean
  /** `watch` hears of changes that other processes make, too. */
  readonly watch: boolean
}

/** What a claim found: the caller's own draft, now stored, or the live entry that already holds the key. */
export type Claim =
  | { readonly won: true; readonly entry: Entry }
  | { readonly won: false; readonly entry: Entry }

/** Which entries `Store.list` gives. */
export interface ListFilter {
  readonly cacheName: string
  readonly namespace?: string
  readonly statuses?: readonly EntryStatus[]
  /** At most this many, in order of creation. Default 100. */
  readonly limit?: number
  /** From the newest to the oldest, instead of from the oldest to the newest. */
  readonly newestFirst?: boolean
  /** Only entries beyond this place: the cursor. Nothing need stand there (any more). */
  readonly after?: Place
}

/** Where an entry stands in the order of creation: by its time, then by its reference. An entry is a place, too. */
export type Place = Pick<Entry, 'createdAt' | 'refId'>

/** How many entries of one kind a cache has, and how large their values are together, in bytes of JSON. */
export interface EntryCount extends Pick<Entry, 'namespace' | 'status' | 'toolName'> {
  readonly count: number
  readonly valueBytes: number
}

/** Something that happened to an entry. */
export interface EntryChange {
  readonly refId: RefId
  readonly what: 'created' | 'changed' | 'deleted'
}

/** What happened in a cache, as far as its store still knows it. */
export interface Changes {
  /**
   * False where the store does not know all that happened since then, because that is too long ago or the cursor is none of its own:
   * look at all entries anew, and go on from `cursor`.
   */
  readonly isComplete: boolean
  /** In the order in which they happened. */
  readonly changes: readonly EntryChange[]
  /** Where the next call goes on. */
  readonly cursor: string
}

/** A store knows at least so many of its latest changes. */
export const KEPT_CHANGES = 2_000
/** A sign of life is known for so long. */
export const BEATS_KEPT_MS = 3_600_000

/** A process that has tasks in flight. */
export interface TaskOwner {
  /** As the leases of its tasks name it; '' for the tasks that were let go (`Lease.duration` 0). */
  readonly process: string
  /** Another one after each `Store.beat`; absent where the store knows of none. */
  readonly beat?: number
  /** How many of its tasks have begun. */
  readonly running: number
}

/** So many tasks of a process are read in one step. */
export const TASKS_AT_ONCE = 500

/** `version`: that of the entry after the change, where the store knows it; who has that version need not read the entry. */
export type OnChange = (version?: number) => void

/** What time it is for one process, in milliseconds since the epoch. */
export interface ProcessTime {
  /** For stamps and hits. */
  readonly now: number
  /** What expired before this has expired for certain. Earlier than `now` where the process's own clocks disagree. */
  readonly earliest: number
}

/** The same for all who share a store. */
export interface StoreTime extends ProcessTime {
  /** `others`: agreed among the processes at work on a store that has no clock of its own. */
  readonly from: 'store' | 'others'
  /** False where the store is full or read-only: then no owner of a task can give a sign of life. */
  readonly takesWrites: boolean
}

/** What answers of a cache saved and cost within an hour, in whole tokens. */
export interface HourOfSavings extends TokenCounts {
  readonly cacheName: string
  /** When it began, in milliseconds since the epoch. */
  readonly hour: number
}

/** So long after they began, hours of savings are known. */
export const SAVINGS_KEPT_MS = 90 * 24 * 3_600_000

/** How full a store is, with all caches on it. What the store cannot tell at once is absent. */
export interface StoreUsage {
  readonly entries?: number
  /** Of inputs and values, as they are stored; values that are being written count, too. On Redis: the memory that the server uses. */
  readonly bytes?: number
  readonly maxEntries?: number
  readonly maxBytes?: number
}

/**
 * Where entries live. Entries are kept as JSON, those handed out may be frozen, and bytes are copied. Stores carry; policy decides above them: a store knows nothing of actors or time, of tasks only which process has them,
 * and hands out entries past their expiry until they are pruned. `claim`, `findByKey`, `get`, `read`, `stage`, `readSegment`, `update` and `delete` are atomic;
 * `list`, `count`, `clear` and `prune` go in steps, so that neither the process nor others at the store wait for all of it. A key belongs to one cache: those of two caches never meet.
 *
 * An entry has the segments that it names, and no others: a claim or an update that writes or removes the `index` drops all
 * others of that entry, and fails with `StoreUnavailable` where one that is named is missing. They go with their entry.
 *
 * A store with a quota makes room by itself when it writes: the settled entry that was used least recently goes first, results of tasks
 * that nobody fetched go last, tasks in flight and values that are being written never. An entry is used when it is got, read, hit or
 * written, or when `noteUse` says so; the order may be no finer than 10 minutes.
 *
 * `testing/store-suite.ts` is the contract in executable form; all stores pass it alike.
 *
 * Errors: `StoreUnavailable` when the medium fails, `StoreFull` (which is one) when it has no room, `ValueTooLarge` when bytes can never fit.
 */
export interface Store {
  readonly capabilities: StoreCapabilities

  /**
   * Stores `draft` unless its key is held by an entry that has not expired at `now`; then returns that one.
   * A draft without a key always wins. An expired holder loses the key, but keeps its record until it is pruned.
   * A draft whose refId is stored already is refused with `InvalidArgument`.
   */
  claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim>

  /** The entry that a claim of this key at `now` would be answered with, if there is one. */
  findByKey(cacheName: string, key: string, now: number): Promise<Entry | undefined>

  get(refId: RefId): Promise<Entry | undefined>

  read(refId: RefId, part: Payload): Promise<Uint8Array | undefined>

  /**
   * Keeps a segment, so that a value of any size is written in small steps. It is there for readers once a claim or an update
   * stores an entry that names it (`Entry.segments`), all of them at the same moment. The entry may not be there yet. The
   * bytes are the store's from now on. A segment that is staged again is replaced. One that has no room beside what a quota
   * never evicts is refused with `StoreFull`.
   */
  stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void>

  readSegment(segment: SegmentName): Promise<Uint8Array | undefined>

  /**
   * Replaces the entry if the stored version is `expectedVersion`. False when it is not, when the entry is gone,
   * or when the entry's key was taken by another one meanwhile. An entry without a key releases the one it held.
   * A key counts as taken even when its holder has expired: only a claim knows the time.
   */
  update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean>

  /** Deletes an entry; a store with a quota also drops what was staged under its refId. False where there was no entry. */
  delete(refId: RefId): Promise<boolean>

  list(filter: ListFilter): Promise<Entry[]>

  /** Entries as they are now, in any order and without those that are gone. To look is no use of an entry. */
  peek(refIds: readonly RefId[]): Promise<Entry[]>

  /** References of any cache that begin with `prefix`, in order; at most `limit`. */
  match(prefix: string, limit: number): Promise<RefId[]>

  /** What a cache has that has not expired at `now`, in any order. Entries come and go while it counts. */
  count(cacheName: string, now: number): Promise<EntryCount[]>

  /** The names of the caches with entries here, in order. A name may outlive its last entry. */
  caches(): Promise<string[]>

  /**
   * What happened in a cache since `cursor`, at most `limit` changes; without a cursor nothing, and where to begin. A store knows its
   * latest `KEPT_CHANGES`; one that removes entries by itself, or is too full to take a note, may not tell of these.
   */
  changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes>

  /** Deletes the entries of a cache, or of one namespace of it; says which. */
  clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]>

  /**
   * Deletes up to `limit` entries, of any cache, that expired at or before `now`; says which. Segments that were staged
   * `STAGED_FOR_MS` before, and are no entry's, go as well; so do the savings of hours that began `SAVINGS_KEPT_MS` before.
   */
  prune(now: number, limit: number): Promise<RemovedEntry[]>

  /**
   * Calls `onChange` soon after the entry changed or went, never inside of the call that changed it. May coalesce, may
   * call without need, never throws; listeners read the entry anew, unless they are told a version that they have. Returns the end of it. After `close` it does nothing.
   */
  watch(refId: RefId, onChange: OnChange): () => void

  /**
   * The time that all who share the store go by: that of the store's own clock, or the one that the processes at work on
   * it agreed on, which `own` is a part of from now on. Absent: the store belongs to one process.
   */
  time?(cacheName: string, own: ProcessTime): Promise<StoreTime | undefined>

  /** A sign of life of a process that has tasks in flight. It may be forgotten when `BEATS_KEPT_MS` have passed without another one. */
  beat(cacheName: string, process: string): Promise<void>

  /** The processes that have tasks in flight, by an index: what it costs goes with their number. */
  owners(cacheName: string): Promise<TaskOwner[]>

  /** The tasks in flight of a process, by an index, in batches: each at most once. Those that come or go meanwhile may be among them. */
  tasksOf(cacheName: string, process: string): AsyncIterable<readonly RefId[]>

  /** Somebody was given the value of an entry, wherever it came from. Returns at once: nobody waits for what it writes. */
  noteUse?(refId: RefId, now: number): void

  /** How full the store is. Cheap: it reads counters, not entries. */
  usage?(): Promise<StoreUsage | undefined>

  /** Adds to what answers of a cache saved and cost in the hour that began then. A store without it keeps no such sums. */
  addSavings?(cacheName: string, hour: number, more: TokenCounts): Promise<void>

  /** The sums of all caches, of the hours that began at `since` or later, the oldest first. */
  savings?(since: number): Promise<HourOfSavings[]>

  /** Who hears what the operator should know of this store; a cache calls it when it takes the store. */
  warnTo?(warn: (message: string) => void): void

  /** Releases what the store holds; safe to call twice. Calls after it fail with `StoreUnavailable`. */
  close(): Promise<void>
}
