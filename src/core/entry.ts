import type { SourceConstraint } from '../access/decision.ts'
import type { AccessPolicy } from '../access/policy.ts'
import type { ErrorCode, RpcError } from './errors.ts'
import { parseJson } from './json-text.ts'
import type { Losses } from './losses.ts'
import type { AskCapabilities, Question } from './question.ts'
import type { RefId } from './ref.ts'

/** How far a task is. All parts are optional: a message alone is progress too. */
export interface Progress {
  readonly current?: number
  readonly total?: number
  readonly message?: string
  /** 0 to 100, from current and total. */
  readonly percentage?: number
}

/**
 * Who runs a task now. A process gives one sign of life for all of its tasks (`Store.beat`): whoever sees none for longer than
 * `duration`, by its own monotonic clock, may take them for lost. So no two wall clocks have to agree.
 */
export interface Lease {
  /** Unique to one claim, retry or recovery: the name of the process, a slash, and what tells its leases apart. */
  readonly owner: string
  /** Milliseconds of silence after which the process counts as lost; 0: it let go. */
  readonly duration: number
}

export interface TaskError {
  readonly code: ErrorCode
  readonly message: string
  /** For `protocol_error`. */
  readonly rpc?: RpcError
}

/** An attempt that did not succeed. */
export interface FailedAttempt {
  readonly attempt: number
  readonly error: TaskError
  readonly at: number
}

/** How this entry's value is shown unless a caller says otherwise; what is absent is the cache's default. */
export interface PreviewSettings {
  readonly maxSize?: number | undefined
  readonly strategy?: 'sample' | 'truncate' | 'paginate' | undefined
  /** Up to so many tokens the value passes as it is, in answers of the adapters. @defaultValue that of the adapter: 8,000 */
  readonly inlineLimit?: number | undefined
  /** What the tool wants its results to have, whole: for clients that honour `anthropic/maxResultSizeChars`. */
  readonly maxResultCharacters?: number | undefined
}

/** The segments of a value: what they were staged under, and how many there are. */
export interface ValueSegments {
  readonly id: string
  readonly count: number
}

/** What a task has appended so far (`task.append`). The index beside the entry has the rest of it. */
export interface AppendedValue extends ValueSegments {
  readonly kind: 'items' | 'text'
  /** How many items or lines there are. */
  readonly available: number
  /** Bytes of JSON. */
  readonly valueBytes: number
  /** UTF-16 units of its text, as if it ended there; entries of older versions lack it. */
  readonly length?: number
}

/** How much there was of a value whose task had not come to its end, or ended without one. */
export interface MadeOf {
  readonly isGrowing: boolean
  /** Items or lines of the value that was asked; absent where that one was complete. */
  readonly available?: number | undefined
  /** The entries that had no value yet. They are none of its `uses`, which a task waits for. */
  readonly unfinished?: readonly RefId[]
}

interface EntryFields {
  readonly refId: RefId
  /** The fingerprint under which identical calls find this entry. */
  readonly key?: string | undefined
  /** The key it held before it failed or was cancelled; a retry takes it up again where it is still free. */
  readonly releasedKey?: string | undefined
  /** By which the key can be freed (`RefCache.invalidate`). */
  readonly tags?: readonly string[] | undefined
  /** The tool that makes the value; absent for a value that was put in by `set`. */
  readonly toolName?: string
  /** What `set` was told to call it. */
  readonly label?: string
  readonly namespace: string
  readonly policy: AccessPolicy
  /** The actor that started the task (`describeActor`). */
  readonly startedBy: string
  /** The references in the task's input. */
  readonly uses?: readonly RefId[] | undefined
  /** What limits who may see the value, because it was computed from that. */
  readonly derivedFrom?: readonly SourceConstraint[] | undefined
  readonly createdAt: number
  /** When something last happened to it that is news; entries of older versions may lack it. */
  readonly updatedAt?: number
  /** Absent while the task is in flight, and for a value that never expires. */
  readonly expiresAt?: number | undefined
  /** Reading the value puts its expiry off to this many milliseconds from then. */
  readonly slidingTtl?: number | undefined
  /**
   * How long the value of a task is kept, in milliseconds from when it is there, and null for ever, where that is not for its tool to
   * say: an answer is kept like the values that were asked, whoever runs it.
   */
  readonly keepFor?: number | null | undefined
  /** Of an answer to a question and of an edited copy: the tool that made what it was made of. It is listed where that is. */
  readonly origin?: string | undefined
  /** Grows by one with each change; the store's compare-and-set goes by it. */
  readonly version: number
  /** How often the handler was started. */
  readonly attempt: number
  readonly maxRetries: number
  /** How often a failed attempt was put off for another one, since the task was begun by hand or by its call. */
  readonly retries?: number
  readonly losses?: Losses
  /** Another process may run the task again when the one that runs it is lost. */
  readonly idempotent: boolean
  readonly retryHistory: readonly FailedAttempt[]
  /** What the actor that started the task can be asked: all, or these methods. */
  readonly interactive?: boolean | AskCapabilities | undefined
  /** What the handler asked, in that order. Kept from one run to the next, which finds its answers there. */
  readonly questions?: readonly Question[] | undefined
  /** How many keys were given to questions so far. */
  readonly asked?: number
  /** A client holds it as a task of MCP: once it has ended it never moves again. */
  readonly native?: true
  /** It has no work of its own: it ends as that entry does. */
  readonly follows?: RefId
  /** The entries that follow it. When it is cancelled, one of them goes on with its work. */
  readonly followers?: readonly RefId[]
  /** The native task that it tries again. */
  readonly retryOf?: RefId
  /** The entry that tries this native task again. */
  readonly retriedAs?: RefId
  /** Quantiles of how long earlier runs of the tool took, in milliseconds, when this entry was made. */
  readonly pastDurations?: readonly number[] | undefined
  /**
   * What the task has appended, until it is complete. An attempt that begins leaves it until it appends something itself: then its own
   * value takes the place.
   */
  readonly appended?: AppendedValue | undefined
  /** The value was made of another one, of which there was no more then. */
  readonly madeOf?: MadeOf | undefined
  readonly preview?: PreviewSettings | undefined
  /** The name of the projection that previews and pages of the value go through (`RefCacheOptions.projections`). */
  readonly view?: string | undefined
}

interface Ran {
  readonly startedAt?: number | undefined
  readonly progress?: Progress | undefined
}

export interface PendingEntry extends EntryFields {
  readonly status: 'pending'
  /** Claimed, not started yet. The process with the lease is about to start it. */
  readonly lease: Lease
  /** The last attempt failed; the next one begins about then. */
  readonly retryAt?: number | undefined
}

export interface ProcessingEntry extends EntryFields {
  readonly status: 'processing'
  readonly startedAt: number
  readonly progress?: Progress | undefined
  /** Progress per millisecond of late, where that differs from the average (`core/pace.ts`). */
  readonly pace?: number | undefined
  readonly lease: Lease
}

export interface CompleteEntry extends EntryFields, Ran {
  readonly status: 'complete'
  readonly completedAt: number
  /** Size of the value's JSON, so that it can be known without reading it. */
  readonly valueBytes: number
  /** Where the value is stored in segments, with an index beside the entry. */
  readonly segments?: ValueSegments | undefined
  /** When the value was made, where this task was given it by an earlier one. */
  readonly madeAt?: number | undefined
}

export interface FailedEntry extends EntryFields, Ran {
  readonly status: 'failed'
  readonly completedAt: number
  readonly error: TaskError
  /** The owner that fell silent. Unless the task was begun again, what it settles late still counts. */
  readonly lostOwner?: string
  /** The size of what the work ended with instead of a value (`TaskFailed.value`), where there is that. */
  readonly valueBytes?: number
  readonly segments?: ValueSegments | undefined
}

export interface CancelledEntry extends EntryFields, Ran {
  readonly status: 'cancelled'
  readonly completedAt: number
  /** The owner that ran it for others, too: it hands the work on. */
  readonly followedOwner?: string
}

/** The one stored record: a value, or the task that will produce it. Plain JSON; the value's bytes lie beside it. */
export type Entry = PendingEntry | ProcessingEntry | CompleteEntry | FailedEntry | CancelledEntry
export type InFlightEntry = PendingEntry | ProcessingEntry
export type SettledEntry = CompleteEntry | FailedEntry | CancelledEntry
/** How an entry stands: `pending`, `processing`, `complete`, `failed` or `cancelled`. */
export type EntryStatus = Entry['status']

export const ENTRY_STATUSES = [
  'pending',
  'processing',
  'complete',
  'failed',
  'cancelled',
] as const satisfies readonly EntryStatus[]

/**
 * A stored record as an entry.
 * @throws SyntaxError when it is damaged
 */
export function parseEntry(record: string): Entry {
  const entry = parseJson(record) as unknown as Partial<Entry> | null
  const isEntry =
    typeof entry?.refId === 'string' &&
    typeof entry.version === 'number' &&
    typeof entry.policy === 'object' &&
    Array.isArray(entry.retryHistory) &&
    ENTRY_STATUSES.some(status => status === entry.status) &&
    (entry.status !== 'failed' || typeof entry.error === 'object') &&
    (!isInFlight(entry as Entry) || typeof (entry as InFlightEntry).lease === 'object')
  if (!isEntry) throw new SyntaxError('The record is no entry')
  return entry as Entry
}

/** What is told of an entry that was removed. */
export type RemovedEntry = Pick<Entry, 'refId' | 'namespace' | 'toolName'>

export function removedEntry({ refId, namespace, toolName }: RemovedEntry): RemovedEntry {
  return { refId, namespace, ...(toolName === undefined ? {} : { toolName }) }
}

/** What was removed, by its stored records. A damaged one tells of nothing: it must keep nobody from removing it. */
export function removedEntries(records: readonly string[]): RemovedEntry[] {
  return records.flatMap(record => {
    try {
      return [removedEntry(parseEntry(record))]
    } catch {
      return []
    }
  })
}

export function isInFlight(entry: Entry): entry is InFlightEntry {
  return entry.status === 'pending' || entry.status === 'processing'
}

/** The process that a lease is of. */
export function processOf({ owner }: Pick<Lease, 'owner'>): string {
  const end = owner.lastIndexOf('/')
  return end < 0 ? owner : owner.slice(0, end)
}

/** The process that has a task in flight: '' for one that was let go, nothing for what has ended. */
export function ownerOf(entry: Entry): string | undefined {
  if (!isInFlight(entry)) return undefined
  return entry.lease.duration === 0 ? '' : processOf(entry.lease)
}

/** Whether another process may run the task again when the one that runs it is lost. To follow another task harms nothing. */
export function isRepeatable({ idempotent, follows }: Entry): boolean {
  return idempotent || follows !== undefined
}

/** An expired entry counts as missing, swept or not. */
export function isExpired(entry: Entry, now: number): boolean {
  return entry.expiresAt !== undefined && entry.expiresAt <= now
}

/** When what is kept for `ttl` milliseconds from now expires; without a ttl, never. */
export function expiry(now: number, ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : now + ttl
}

/** All that it was made of. */
export function madeFrom({ uses = [], madeOf }: Pick<Entry, 'uses' | 'madeOf'>): readonly RefId[] {
  const { unfinished = [] } = madeOf ?? {}
  return unfinished.length === 0 ? uses : [...uses, ...unfinished]
}

/** The tool by which an entry is listed. */
export function originOf({ origin, toolName }: Pick<Entry, 'origin' | 'toolName'>): string | undefined {
  return origin ?? toolName
}
