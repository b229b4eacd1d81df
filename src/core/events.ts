import { toDate } from './clock.ts'
import type { Entry, SettledEntry } from './entry.ts'
import { type ErrorCode, InvalidArgument } from './errors.ts'
import type { RefId } from './ref.ts'
import { hint } from './suggest.ts'

interface About {
  /** Absent for a call that has no entry (yet). */
  readonly refId?: RefId
  readonly namespace: string
  readonly toolName?: string
}

/** Why an entry went: `delete` was called for it, `clear` for all, or it had expired. */
export type Removal = 'deleted' | 'cleared' | 'expired'

/**
 * What a cache tells its listeners. Events say what happened to which entry, never values, inputs or words of a
 * handler. The types are those of the constructors below.
 */
const about = ({ refId, toolName, namespace }: About): About => {
  // Nearly all events have all of it, and objects that are spread together cost more than a store in memory.
  if (refId !== undefined && toolName !== undefined) return { refId, namespace, toolName }
  return {
    ...(refId === undefined ? {} : { refId }),
    namespace,
    ...(toolName === undefined ? {} : { toolName }),
  }
}

/** What each event is called. */
const TYPES = {
  stored: 'entry:stored',
  hit: 'entry:hit',
  joined: 'entry:joined',
  deleted: 'entry:deleted',
  started: 'task:started',
  progress: 'task:progress',
  retrying: 'task:retrying',
  settled: 'task:settled',
  recovered: 'task:recovered',
  refused: 'call:refused',
} as const

export const events = {
  /** A value was put in by `set`. */
  stored: (entry: Entry) => ({ type: TYPES.stored, ...about(entry) }) as const,
  /** A call was answered from a finished entry. */
  hit: (entry: Entry) => ({ type: TYPES.hit, ...about(entry) }) as const,
  /** A call found its computation in flight. */
  joined: (entry: Entry) => ({ type: TYPES.joined, ...about(entry) }) as const,
  /** An entry is gone for good, and with it what this process kept of its value. */
  deleted: (entry: About, reason: Removal) => ({ type: TYPES.deleted, ...about(entry), reason }) as const,
  /** An attempt begins in this process. */
  started: (entry: Entry) => ({ type: TYPES.started, attempt: entry.attempt, ...about(entry) }) as const,
  progress: (entry: Entry & { status: 'processing' }) =>
    ({
      type: TYPES.progress,
      ...about(entry),
      current: entry.progress?.current,
      total: entry.progress?.total,
      percentage: entry.progress?.percentage,
    }) as const,
  /** An attempt failed and another one follows. */
  retrying: (entry: Entry, retryAt: number) =>
    ({ type: TYPES.retrying, ...about(entry), attempt: entry.attempt, retryAt: toDate(retryAt) }) as const,
  settled: (entry: SettledEntry) =>
    ({
      type: TYPES.settled,
      status: entry.status,
      ...(entry.status === 'failed' ? { errorCode: entry.error.code } : {}),
      ...about(entry),
    }) as const,
  /** Too many tasks wait already: a call, which then has no entry, or a retry by hand was not begun. */
  refused: (of: { toolName: string; namespace: string; refId?: string }, errorCode: ErrorCode) =>
    ({ type: TYPES.refused, ...of, errorCode }) as const,
  /** A sweep took over a task whose process was lost. */
  recovered: (entry: Entry) => ({ type: TYPES.recovered, ...about(entry) }) as const,
} as const

/** One event of a cache (`RefCache.on`), told apart by `type`. */
export type CacheEvent = ReturnType<(typeof events)[keyof typeof events]>
/** The names of all events. */
export type CacheEventType = CacheEvent['type']
/** The event of one type; any event for `'*'`. */
export type CacheEventOf<Type extends CacheEventType | '*'> = Type extends '*'
  ? CacheEvent
  : Extract<CacheEvent, { type: Type }>
/** Hears of the events of one type, or of all (`'*'`). It may throw or reject; neither harms the cache. */
export type CacheListener<Type extends CacheEventType | '*'> = (event: CacheEventOf<Type>) => unknown

const EVENT_TYPES: readonly string[] = ['*', ...Object.values(TYPES)]

/** A listener of a misspelled event would never be called. @throws InvalidArgument for an event that there is not */
export function checkEventType(type: string): void {
  if (EVENT_TYPES.includes(type)) return
  const name = String(type).slice(0, 50)
  throw new InvalidArgument(`There is no event '${name}'. ${hint(name, EVENT_TYPES)}`)
}
