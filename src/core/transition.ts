import {
  type Entry,
  type InFlightEntry,
  isInFlight,
  type Lease,
  type Progress,
  type TaskError,
} from './entry.ts'

/** What can happen to an entry. Events that carry an `owner` or a `lease` need the current lease. */
export type EntryEvent =
  | { type: 'start'; lease: Lease; now: number }
  | { type: 'renew'; lease: Lease }
  | { type: 'progress'; owner: string; progress: Progress }
  | ({ type: 'complete'; owner: string } & End)
  | ({ type: 'fail'; owner: string; error: TaskError } & End)
  | ({ type: 'cancel' } & End)
  /** The lease ran out, and the task is given up. */
  | ({ type: 'lose'; error: TaskError } & End)
  /** The lease ran out, and another process takes the task over. */
  | { type: 'take'; lease: Lease; now: number }

interface End {
  now: number
  expiresAt: number | undefined
  /** The last report of the handler; without it, the last one that was stored stays. */
  progress?: Progress | undefined
}

export type Refusal = 'already_settled' | 'already_started' | 'not_started' | 'lease_lost' | 'lease_held'

export type Transition = { ok: true; entry: Entry } | { ok: false; refused: Refusal }

/** Every legal move of an entry, and the refusal of the rest. Pure; the caller stores the outcome by version. */
export function transition(entry: Entry, event: EntryEvent): Transition {
  if (!isInFlight(entry)) return refuse('already_settled')
  const refused = refusal(entry, event)
  return refused
    ? refuse(refused)
    : { ok: true, entry: { ...moved(entry, event), version: entry.version + 1 } }
}

function refusal(entry: InFlightEntry, event: EntryEvent): Refusal | undefined {
  const held = (owner: string) => entry.lease.owner === owner
  switch (event.type) {
    case 'start':
      if (entry.status !== 'pending') return 'already_started'
      return held(event.lease.owner) ? undefined : 'lease_lost'
    case 'renew':
      return held(event.lease.owner) ? undefined : 'lease_lost'
    case 'progress':
    case 'complete':
      if (!held(event.owner)) return 'lease_lost'
      return entry.status === 'processing' ? undefined : 'not_started'
    case 'fail':
      return held(event.owner) ? undefined : 'lease_lost'
    case 'cancel':
      return undefined
    case 'lose':
    case 'take':
      return entry.lease.until <= event.now ? undefined : 'lease_held'
  }
}

function moved(entry: InFlightEntry, event: EntryEvent): Entry {
  switch (event.type) {
    case 'start':
      return {
        ...entry,
        status: 'processing',
        startedAt: event.now,
        lease: event.lease,
        attempt: entry.attempt + 1,
      }
    case 'renew':
      return { ...entry, lease: event.lease }
    case 'progress':
      return entry.status === 'processing' ? { ...entry, progress: event.progress } : entry
    case 'complete':
      return { ...ended(entry, event), status: 'complete', key: entry.key }
    case 'fail':
    case 'lose':
      return { ...ended(entry, event), status: 'failed', error: event.error }
    case 'cancel':
      return { ...ended(entry, event), status: 'cancelled' }
    case 'take': {
      const { startedAt: _, progress: __, ...unstarted } = { startedAt: 0, progress: undefined, ...entry }
      return { ...unstarted, status: 'pending', lease: event.lease }
    }
  }
}

/** The fields of an ended task. Its key is released: only a complete entry may answer an identical call. */
function ended(entry: InFlightEntry, { now, expiresAt, progress }: End) {
  const { lease: _, key: __, ...rest } = entry
  return { ...rest, completedAt: now, expiresAt, ...(progress === undefined ? {} : { progress }) }
}

function refuse(refused: Refusal): Transition {
  return { ok: false, refused }
}
