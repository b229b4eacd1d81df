import { describedActor, nameOf } from '../access/actor.ts'
import { type Entry, type InFlightEntry, isInFlight, madeFrom, type Progress } from '../core/entry.ts'
import { describeEntry, type EntryInfo } from '../core/entry-info.ts'
import { hasValue } from '../core/entry-value.ts'
import { etaFromHistory, etaSeconds } from '../core/eta.ts'
import { unanswered } from '../core/question.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'

/** An entry as whoever looks at a store from outside sees it: no value, no input, and nothing that a handler said in words, but for `InspectorOptions.progressMessages`. */
export interface InspectedEntry extends Omit<EntryInfo, 'progress'> {
  readonly progress?: Progress
  /** There is something to read: a value, or what its task has appended so far. */
  readonly hasValue: boolean
  /** The cache that it belongs to; behind `wrap`, which server. */
  readonly cache: string
  /** Who asked for it: `user:ada`, or `agent` for one without a name. Never a session. */
  readonly startedBy?: string
  /** The references in its input, or those that it was made of. */
  readonly uses?: readonly RefId[]
  /** Of a task in flight. */
  readonly task?: LiveTask
}

/** A task that runs, or waits for its turn. */
export interface LiveTask {
  /** Which process has it: `host/pid/…`. */
  readonly owner: string
  /** Absent where the task does not say how far it is, and earlier runs say nothing either. */
  readonly etaSeconds?: number
  /** A failed attempt is behind it; the next one begins about then. */
  readonly retryAt?: Date
  /** How many answers it waits for. */
  readonly questions?: number
}

/**
 * @param now in milliseconds since the epoch
 * @param progressMessages whether it has what tasks say of how far they are
 */
export function inspected(entry: Entry, now: number, progressMessages = false): InspectedEntry {
  const startedBy = starterOf(entry)
  const uses = madeFrom(entry)
  return {
    ...describeEntry(entry),
    cache: cacheNameOf(entry.refId),
    hasValue: hasValue(entry) || entry.appended !== undefined,
    ...(progressMessages && entry.status === 'processing' && entry.progress
      ? { progress: entry.progress }
      : {}),
    ...(startedBy === undefined ? {} : { startedBy }),
    ...(uses.length === 0 ? {} : { uses }),
    ...(isInFlight(entry) ? { task: liveTask(entry, now) } : {}),
  }
}

function liveTask(entry: InFlightEntry, now: number): LiveTask {
  const eta = entry.status === 'processing' ? etaOf(entry, now) : undefined
  const retryAt = entry.status === 'pending' ? entry.retryAt : undefined
  const questions = unanswered(entry.questions).length
  return {
    owner: entry.lease.owner.slice(0, entry.lease.owner.lastIndexOf('/')),
    ...(eta === undefined ? {} : { etaSeconds: eta }),
    ...(retryAt === undefined ? {} : { retryAt: new Date(retryAt) }),
    ...(questions === 0 ? {} : { questions }),
  }
}

function etaOf(entry: Extract<Entry, { status: 'processing' }>, now: number): number | undefined {
  const elapsed = now - entry.startedAt
  return etaSeconds(entry.progress, elapsed, entry.pace) ?? etaFromHistory(entry.pastDurations, elapsed)
}

function starterOf({ startedBy }: Entry): string | undefined {
  try {
    const who = describedActor(startedBy)
    return nameOf(who) ?? who.type
  } catch {
    return undefined
  }
}
