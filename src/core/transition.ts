import { type Entry, isInFlight, type Lease, type Progress, type TaskError } from './entry.ts'

/** What can happen to an entry. Events that carry an `owner` need the current lease. */
export type EntryEvent =
  | { type: 'start'; lease: Lease; now: number }
  | { type: 'renew'; lease: Lease }
  | { type: 'progress'; owner: string; progress: Progress }
  | {
      type: 'complete'
      owner: string
      now: number
      expiresAt: number | undefined
      progress: Progress | undefined
    }
  | {
      type: 'fail'
      owner: string
      now: number
      expiresAt: number | undefined
      progress: Progress | undefined
      error: TaskError
    }
  | { type: 'cancel'; now: number; expiresAt: number | undefined }
  | { type: 'lose'; now: number; expiresAt: number | undefined; error: TaskError }
  | { type: 'take'; lease: Lease; now: number }

export type Refusal = 'already_settled' | 'already_started' | 'not_started' | 'lease_lost' | 'lease_held'

export type Transition = { ok: true; entry: Entry } | { ok: false; refused: Refusal }

/** Every legal move of an entry, and the refusal of the rest. Pure; the caller stores the outcome by version. */
export function transition(entry: Entry, event: EntryEvent): Transition {
  if (!isInFlight(entry)) return refuse('already_settled')
  const { version, ...rest } = { ...entry, version: entry.version + 1 }
  const holds = (owner: string) => entry.lease.owner === owner

  switch (event.type) {
    case 'start': {
      if (entry.status !== 'pending') return refuse('already_started')
      if (!holds(event.lease.owner)) return refuse('lease_lost')
      const { lease, now } = event
      return move({
        ...rest,
        version,
        status: 'processing',
        startedAt: now,
        lease,
        attempt: entry.attempt + 1,
      })
    }
    case 'renew':
      if (!holds(event.lease.owner)) return refuse('lease_lost')
      return move({ ...entry, version, lease: event.lease })
    case 'progress':
      if (!holds(event.owner)) return refuse('lease_lost')
      if (entry.status !== 'processing') return refuse('not_started')
      return move({ ...entry, version, progress: event.progress })
    case 'complete': {
      if (!holds(event.owner)) return refuse('lease_lost')
      if (entry.status !== 'processing') return refuse('not_started')
      return move({ ...settled(entry, event), version, status: 'complete', key: entry.key })
    }
    case 'fail':
      if (!holds(event.owner)) return refuse('lease_lost')
      return move({ ...settled(entry, event), version, status: 'failed', error: event.error })
    case 'cancel':
      return move({ ...settled(entry, event), version, status: 'cancelled' })
    case 'lose':
      if (entry.lease.until > event.now) return refuse('lease_held')
      return move({ ...settled(entry, event), version, status: 'failed', error: event.error })
    case 'take': {
      if (entry.lease.until > event.now) return refuse('lease_held')
      const { startedAt: _, progress: __, ...waiting } = { startedAt: 0, progress: undefined, ...rest }
      return move({ ...waiting, version, status: 'pending', lease: event.lease })
    }
  }
}

type Settlement = { now: number; expiresAt: number | undefined; progress?: Progress | undefined }

/** The fields of a settled entry. The key is released: only a complete entry may answer an identical call. */
function settled(entry: Extract<Entry, { lease: Lease }>, event: Settlement) {
  const { lease: _, key: __, ...rest } = entry
  const progress = event.progress ?? (entry.status === 'processing' ? entry.progress : undefined)
  return {
    ...rest,
    completedAt: event.now,
    expiresAt: event.expiresAt,
    ...(progress === undefined ? {} : { progress }),
  }
}

const move = (entry: Entry): Transition => ({ ok: true, entry })
const refuse = (refused: Refusal): Transition => ({ ok: false, refused })
