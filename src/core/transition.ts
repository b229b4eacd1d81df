import type { Source } from '../access/decision.ts'
import {
  type CancelledEntry,
  type Entry,
  type FailedEntry,
  type InFlightEntry,
  isInFlight,
  type Lease,
  type PendingEntry,
  type ProcessingEntry,
  type Progress,
  type TaskError,
} from './entry.ts'

/** What can happen to an entry. Events that carry an `owner` need the current lease. */
export type EntryEvent =
  | { type: 'start'; owner: string; now: number }
  /** A sign of life. */
  | { type: 'renew'; owner: string }
  | { type: 'progress'; owner: string; progress: Progress; pace: number | undefined }
  | ({ type: 'complete'; owner: string; valueBytes: number } & End)
  | ({ type: 'fail'; owner: string; error: TaskError } & End)
  /** The input turned out to hold more than the call's own references. */
  | { type: 'derive'; owner: string; derivedFrom: readonly Source[] }
  /** The attempt failed, and another one follows. */
  | { type: 'postpone'; owner: string; error: TaskError; now: number; retryAt: number }
  /** The owner gives the task away: whoever sweeps next may have it. */
  | { type: 'release'; owner: string }
  | ({ type: 'cancel' } & End)
  /** The owner was silent at version `seen` for longer than its lease; the task is given up. */
  | ({ type: 'lose'; seen: number } & End)
  /** The same, and another process takes the task over. */
  | { type: 'take'; seen: number; lease: Lease; now: number }
  /** By hand: a failed or cancelled task begins again. */
  | { type: 'retry'; lease: Lease; keepKey: boolean }

interface End {
  now: number
  expiresAt: number | undefined
  /** The last report of the handler; without it, the last one that was stored stays. */
  progress?: Progress | undefined
}

export type Refusal =
  | 'already_settled'
  | 'already_started'
  | 'not_started'
  | 'not_ended'
  | 'lease_lost'
  | 'lease_held'

export type Transition = { ok: true; entry: Entry } | { ok: false; refused: Refusal }

/** Every legal move of an entry, and the refusal of the rest. Pure; the caller stores the outcome by version. */
export function transition(entry: Entry, event: EntryEvent): Transition {
  if (event.type === 'retry') {
    if (isInFlight(entry)) return refuse('not_ended')
    if (entry.status === 'complete') return refuse('already_settled')
    return move(entry, again(entry, event))
  }
  if (!isInFlight(entry)) return refuse('already_settled')
  const refused = refusal(entry, event)
  return refused ? refuse(refused) : move(entry, moved(entry, event))
}

type FlightEvent = Exclude<EntryEvent, { type: 'retry' }>

function refusal(entry: InFlightEntry, event: FlightEvent): Refusal | undefined {
  if ('owner' in event && entry.lease.owner !== event.owner) return 'lease_lost'
  if ('seen' in event) return entry.version === event.seen ? undefined : 'lease_held'
  if (event.type === 'start') return entry.status === 'pending' ? undefined : 'already_started'
  const needsStart = event.type === 'progress' || event.type === 'complete' || event.type === 'postpone'
  return needsStart && entry.status !== 'processing' ? 'not_started' : undefined
}

function moved(entry: InFlightEntry, event: FlightEvent): Entry {
  switch (event.type) {
    case 'start':
      return {
        ...without(entry, 'retryAt'),
        status: 'processing',
        startedAt: event.now,
        attempt: entry.attempt + 1,
      }
    case 'renew':
      return entry
    case 'progress':
      return { ...(entry as ProcessingEntry), progress: event.progress, pace: event.pace }
    case 'derive':
      return { ...entry, derivedFrom: [...(entry.derivedFrom ?? []), ...event.derivedFrom] }
    case 'complete':
      return { ...ended(entry, event), status: 'complete', key: entry.key, valueBytes: event.valueBytes }
    case 'fail':
      return { ...failed(entry, event, event.error), status: 'failed' }
    case 'lose':
      return { ...failed(entry, event, LOST), status: 'failed' }
    case 'cancel':
      return { ...ended(entry, event), ...released(entry), status: 'cancelled' }
    case 'postpone':
      return {
        ...waiting(entry, entry.lease),
        retryHistory: historyWith(entry, event),
        retryAt: event.retryAt,
      }
    case 'release':
      return waiting(entry, { ...entry.lease, duration: 0 })
    case 'take':
      return entry.status === 'pending'
        ? waiting(entry, event.lease)
        : {
            ...waiting(entry, event.lease),
            retryHistory: historyWith(entry, { error: LOST, now: event.now }),
          }
  }
}

function again(
  entry: FailedEntry | CancelledEntry,
  { lease, keepKey }: EntryEvent & { type: 'retry' },
): Entry {
  const { releasedKey: key } = entry
  const rest = without(entry, 'completedAt', 'error', 'expiresAt', 'releasedKey')
  return { ...waiting(rest, lease), ...(keepKey && key !== undefined ? { key } : {}) }
}

/** A task that has not begun (this attempt). */
function waiting(entry: Omit<PendingEntry, 'status' | 'lease'>, lease: Lease): PendingEntry {
  return { ...without(entry, 'startedAt', 'progress', 'pace'), status: 'pending', lease }
}

/** The fields of an ended task. Its key is released: only a complete entry may answer an identical call. */
function ended(entry: InFlightEntry, { now, expiresAt, progress }: End) {
  const rest = without(entry, 'lease', 'key', 'pace', 'retryAt')
  return { ...rest, completedAt: now, expiresAt, ...(progress === undefined ? {} : { progress }) }
}

function released({ key }: InFlightEntry): { releasedKey?: string } {
  return key === undefined ? {} : { releasedKey: key }
}

function failed(entry: InFlightEntry, end: End, error: TaskError) {
  const retryHistory = historyWith(entry, { error, now: end.now })
  return { ...ended(entry, end), ...released(entry), error, retryHistory }
}

function historyWith(entry: InFlightEntry, { error, now }: { error: TaskError; now: number }) {
  return [...entry.retryHistory, { attempt: entry.attempt, error, at: now }].slice(-MAX_HISTORY)
}

/** What is said of a task whose owner fell silent. */
export const LOST: TaskError = {
  code: 'worker_lost',
  message: 'The process that ran this task was lost before it finished.',
}

/** Retrying by hand has no end; its record has. */
const MAX_HISTORY = 20

function without<E extends object, Name extends string>(entry: E, ...names: Name[]): Omit<E, Name> {
  const rest = { ...entry } as Record<string, unknown>
  for (const name of names) delete rest[name]
  return rest as Omit<E, Name>
}

function move(before: Entry, after: Entry): Transition {
  return { ok: true, entry: { ...after, version: before.version + 1 } }
}

function refuse(refused: Refusal): Transition {
  return { ok: false, refused }
}
