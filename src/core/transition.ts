import {
  type CancelledEntry,
  type Entry,
  type FailedEntry,
  type InFlightEntry,
  isInFlight,
  type Lease,
  type PendingEntry,
  type ProcessingEntry,
  type TaskError,
} from './entry.ts'
import type { EntryEvent, FlightEvent, Refusal, Settling, StoredValue } from './entry-event.ts'
import { withLoss } from './losses.ts'
import { answered, asked, type Question, withdrawn } from './question.ts'
import { refusal } from './refusal.ts'

export type Transition = { ok: true; entry: Entry } | { ok: false; refused: Refusal }

/** A draft whose work begins with its claim. */
export function begun(draft: PendingEntry, now: number): ProcessingEntry {
  return { ...started(draft, now), version: draft.version }
}

/** Every legal move of an entry, and the refusal of the rest. Pure; the caller stores the outcome by version. */
export function transition(entry: Entry, event: EntryEvent): Transition {
  if (event.type === 'retry' || event.type === 'retry-elsewhere') return retried(entry, event)
  if (event.type === 'become-native') return move(entry, { ...entry, native: true }, event)
  if (event.type === 'keep') return move(entry, keptUntil(entry, event.until), event)
  if (event.type === 'yield-key') return move(entry, without(entry, 'key') as Entry, event)
  if (entry.status === 'failed' && isLate(entry, event)) return move(entry, settledLate(entry, event), event)
  if (!isInFlight(entry)) return refuse('already_settled')
  const refused = refusal(entry, event)
  return refused ? refuse(refused) : move(entry, moved(entry, event), event)
}

/** What ends later, or never, stays so. */
function keptUntil(entry: Entry, until: number): Entry {
  const { expiresAt } = entry
  return expiresAt === undefined || expiresAt >= until ? entry : { ...entry, expiresAt: until }
}

function retried(entry: Entry, event: EntryEvent & { type: 'retry' | 'retry-elsewhere' }): Transition {
  if (isInFlight(entry)) return refuse('not_ended')
  if (entry.status === 'complete') return refuse('already_settled')
  if (event.type === 'retry') {
    return entry.native ? refuse('final') : move(entry, again(entry, event), event)
  }
  if (entry.retriedAs !== event.instead) return refuse('already_retried')
  return move(entry, { ...entry, retriedAs: event.retriedAs }, event)
}

type LateSettlement = Extract<EntryEvent, { type: 'complete' | 'fail' }>

/** Work that counted as lost has ended after all, and was not begun again. */
function isLate({ lostOwner }: FailedEntry, event: EntryEvent): event is LateSettlement {
  return (event.type === 'complete' || event.type === 'fail') && lostOwner === event.owner
}

function moved(entry: InFlightEntry, event: FlightEvent): Entry {
  switch (event.type) {
    case 'start':
      return started(entry, event.now)
    case 'progress':
      return { ...(entry as ProcessingEntry), progress: event.progress, pace: event.pace }
    case 'append':
      return { ...entry, appended: event.appended }
    case 'derive':
      return { ...entry, derivedFrom: event.derivedFrom }
    case 'stop-following':
    case 'follow-instead':
    case 'gain-follower':
    case 'take-follower':
    case 'inherit-key':
      return following(entry, event)
    case 'ask':
    case 'withdraw':
    case 'answer':
      return questioned(entry, event)
    case 'complete': {
      const { questions, asked, appended, ...rest } = ended(entry, event)
      const { madeAt } = event
      return { key: entry.key, ...valueIn(event), madeAt, ...rest, status: 'complete' }
    }
    case 'fail':
      return { ...failed(entry, event, event.error), ...failureIn(entry, event), status: 'failed' }
    case 'lose':
      return {
        ...failed(entry, event, LOST),
        status: 'failed',
        ...(entry.status === 'processing' ? { lostOwner: entry.lease.owner } : {}),
      }
    case 'cancel':
      return { ...ended(entry, event), ...released(entry), ...ownerForFollowers(entry), status: 'cancelled' }
    case 'postpone':
      return {
        ...waiting(entry, entry.lease),
        retryHistory: historyWith(entry, event),
        ...(event.lost ? { losses: withLoss(entry.losses, false) } : { retries: (entry.retries ?? 0) + 1 }),
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
            losses: withLoss(entry.losses, event.together),
          }
  }
}

type FollowingEvent = Extract<
  FlightEvent,
  { type: 'stop-following' | 'follow-instead' | 'gain-follower' | 'take-follower' | 'inherit-key' }
>

/** Tasks that share the work of one. */
function following(entry: InFlightEntry, event: FollowingEvent): Entry {
  switch (event.type) {
    case 'stop-following':
      return { ...without(entry, 'follows'), ...startedAtOf(event) } as InFlightEntry
    case 'follow-instead':
      return { ...entry, follows: event.follows }
    case 'gain-follower':
      return { ...entry, followers: [...(entry.followers ?? []), event.refId] }
    case 'take-follower':
      return waiting(entry, event.lease)
    case 'inherit-key':
      return { ...entry, key: event.key, ...(event.tags ? { tags: event.tags } : {}) }
  }
}

function questioned(
  entry: InFlightEntry,
  event: Extract<FlightEvent, { type: 'ask' | 'withdraw' | 'answer' }>,
): Entry {
  const { questions = [] } = entry
  switch (event.type) {
    case 'ask': {
      const number = (entry.asked ?? 0) + 1
      return { ...entry, questions: asked(questions, event.place, number, event.request), asked: number }
    }
    case 'withdraw':
      return { ...entry, questions: withdrawn(questions, event.key) }
    case 'answer':
      return { ...entry, questions: answered(questions, event.answers) }
  }
}

function started(entry: InFlightEntry, now: number): ProcessingEntry {
  const { retryAt, ...rest } = entry as PendingEntry
  return { startedAt: now, ...rest, status: 'processing', attempt: entry.attempt + 1 }
}

function settledLate(entry: FailedEntry, event: LateSettlement): Entry {
  const { now: completedAt, expiresAt } = event
  const settled = {
    ...without(entry, 'lostOwner'),
    // The last one of them says that it was lost.
    retryHistory: entry.retryHistory.slice(0, -1),
    completedAt,
    expiresAt,
    ...(event.progress === undefined ? {} : { progress: event.progress }),
  }
  if (event.type === 'fail') {
    const failure = { attempt: entry.attempt, error: inBrief(event.error), at: completedAt }
    const retryHistory = [...settled.retryHistory, failure]
    return { ...settled, error: event.error, retryHistory, ...failureIn(entry, event) }
  }
  return {
    ...without(settled, 'error', 'releasedKey', 'questions', 'asked', 'appended'),
    status: 'complete',
    ...valueIn(event),
  }
}

function again(
  entry: FailedEntry | CancelledEntry,
  { lease, keepKey }: EntryEvent & { type: 'retry' },
): Entry {
  const { releasedKey: key } = entry
  const rest = without(
    entry,
    'completedAt',
    'error',
    'lostOwner',
    'followedOwner',
    'followers',
    'expiresAt',
    'releasedKey',
    ...VALUE_FIELDS,
  )
  return { ...waiting(rest, lease), ...(keepKey && key !== undefined ? { key } : {}) }
}

/** A task that has not begun (this attempt). */
function waiting(entry: Omit<PendingEntry, 'status' | 'lease'>, lease: Lease): PendingEntry {
  return { ...without(entry, 'startedAt', 'progress', 'pace'), status: 'pending', lease }
}

/** The fields of an ended task. Its key is released: only a complete entry may answer an identical call. */
function ended(entry: InFlightEntry, { now, expiresAt, progress }: Settling) {
  const all = entry as Omit<ProcessingEntry, 'status'> & Pick<PendingEntry, 'retryAt'>
  const { lease, key, pace, retryAt, retries, losses, questions, expiresAt: _, ...rest } = all
  const answered = kept(entry)
  // What is new stands first: on Node 20 an object that grows after a spread gets a hidden class of its own.
  const fields = {
    completedAt: now,
    expiresAt,
    questions: answered.length > 0 ? answered : undefined,
    ...rest,
  }
  return progress === undefined ? fields : { ...fields, progress }
}

/** What a retry by hand may find: the answers, each at its place. What was asked after the last of them goes. */
function kept({ questions = [] }: InFlightEntry): readonly Question[] {
  return questions.slice(0, questions.findLastIndex(({ answer }) => answer !== undefined) + 1)
}

function released({ key }: InFlightEntry): { releasedKey?: string } {
  return key === undefined ? {} : { releasedKey: key }
}

function failed(entry: InFlightEntry, end: Settling, error: TaskError) {
  const retryHistory = historyWith(entry, { error, now: end.now })
  return { ...ended(entry, end), ...released(entry), error, retryHistory }
}

function ownerForFollowers({ status, followers, lease }: InFlightEntry): { followedOwner?: string } {
  return followers && status === 'processing' ? { followedOwner: lease.owner } : {}
}

function startedAtOf({ startedAt }: { startedAt?: number | undefined }): { startedAt?: number } {
  return startedAt === undefined ? {} : { startedAt }
}

const VALUE_FIELDS = ['valueBytes', 'segments'] as const

function valueIn<Value extends Partial<StoredValue>>({ valueBytes, segments }: Value) {
  const bytes = valueBytes === undefined ? {} : { valueBytes }
  return { ...bytes, ...(segments ? { segments } : {}) } as Pick<Value, 'valueBytes' | 'segments'>
}

/** What the work ended with instead of a value. There is one index, and what was appended goes before. */
function failureIn({ appended }: Entry, event: EntryEvent & { type: 'fail' }) {
  return appended && event.segments ? {} : valueIn(event)
}

function historyWith(entry: InFlightEntry, { error, now }: { error: TaskError; now: number }) {
  const failed = { attempt: entry.attempt, error: inBrief(error), at: now }
  return [...entry.retryHistory, failed].slice(-MAX_HISTORY)
}

/** An error's data is for those who handle it; of what is over, many times over, code and message say enough. */
function inBrief({ rpc, ...error }: TaskError): TaskError {
  return rpc ? { ...error, rpc: { code: rpc.code } } : error
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

function move(before: Entry, after: Entry, event: EntryEvent): Transition {
  const version = before.version + 1
  if (!('now' in event)) return { ok: true, entry: { ...after, version } }
  // The clocks of two processes differ. Time must not run backwards for a follower.
  const updatedAt = Math.max(event.now, before.updatedAt ?? before.createdAt)
  const { updatedAt: _, ...rest } = after
  return { ok: true, entry: { updatedAt, ...rest, version } as Entry }
}

function refuse(refused: Refusal): Transition {
  return { ok: false, refused }
}
