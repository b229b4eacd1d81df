import type { SourceConstraint } from '../access/decision.ts'
import type { AppendedValue, Lease, Progress, TaskError, ValueSegments } from './entry.ts'
import type { JsonObject } from './json.ts'
import type { InputRequest } from './question.ts'
import type { RefId } from './ref.ts'

/**
 * What can happen to an entry. Events that carry an `owner` need the current lease; those that carry `now` are news to
 * whoever follows the task.
 */
export type EntryEvent =
  | { type: 'start'; owner: string; now: number }
  | { type: 'progress'; owner: string; progress: Progress; pace: number | undefined; now: number }
  /** The handler has appended to its value. */
  | { type: 'append'; owner: string; appended: AppendedValue; now: number }
  /** The handler asks for input, as number `place` (from 0) of what it asks in this run. */
  | { type: 'ask'; owner: string; place: number; request: InputRequest; now: number }
  /** The handler gave a question up. */
  | { type: 'withdraw'; owner: string; key: string; now: number }
  /** Needs no lease; the task may also wait for its next attempt. */
  | { type: 'answer'; answers: Readonly<Record<string, JsonObject>>; now: number }
  | ({ type: 'complete'; owner: string; madeAt?: number | undefined } & StoredValue & Settling)
  | ({ type: 'fail'; owner: string; error: TaskError } & Partial<StoredValue> & Settling)
  /** The input turned out to hold more than the call's own references: all that guards the result now. */
  | { type: 'derive'; owner: string; derivedFrom: readonly SourceConstraint[] }
  /** The attempt failed, and another one follows. `lost`: it lost its worker, which counts as a loss and not as a retry. */
  | { type: 'postpone'; owner: string; error: TaskError; now: number; retryAt: number; lost?: boolean }
  /** The owner gives the task away: the next process that sweeps may take it. */
  | { type: 'release'; owner: string; now: number }
  | ({ type: 'cancel' } & Settling)
  /** The owner was silent at version `seen` for longer than its lease; the task is given up. */
  | ({ type: 'lose'; seen: number } & Settling)
  /** The same, and another process takes the task over. `together`: the lost process ran other tasks, too. */
  | { type: 'take'; seen: number; lease: Lease; together: boolean; now: number }
  /** By hand: a failed or cancelled task begins again. */
  | { type: 'retry'; lease: Lease; keepKey: boolean; now: number }
  /** By hand, for a native task: another entry tries it again, or tries it once more after `instead`. */
  | { type: 'retry-elsewhere'; retriedAs: RefId; instead: RefId | undefined }
  /** A client is given it as a task of MCP. */
  | { type: 'become-native' }
  /** A reader wants it kept until then at least. */
  | { type: 'keep'; until: number }
  /** What it followed has no outcome for it: from now on it has work of its own, begun at `startedAt` if that goes on. */
  | { type: 'stop-following'; owner: string; startedAt?: number | undefined }
  /** Another follower goes on with the work of what it followed. */
  | { type: 'follow-instead'; owner: string; follows: RefId }
  /** Another entry follows it from now on. */
  | { type: 'gain-follower'; refId: RefId }
  /** The process that runs what it follows takes it over, so that the work can go on for it. */
  | { type: 'take-follower'; follows: RefId; lease: Lease; now: number }
  /** It goes on with the work of a task that had this key. */
  | { type: 'inherit-key'; key: string; tags: readonly string[] | undefined }
  /** A call that is to run anew takes the key: identical calls find that one from now on. */
  | { type: 'yield-key' }

/** How a value lies beside its entry. */
export interface StoredValue {
  valueBytes: number
  segments?: ValueSegments | undefined
}

/** What settles a task. */
export interface Settling {
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
  /** A native task never moves again. */
  | 'final'
  | 'already_retried'
  | 'not_following'
  | 'too_many_followers'
  | 'lease_lost'
  | 'lease_held'
  /** The same question stands at that place; it may have its answer. */
  | 'already_asked'
  /** No question waits for any of these answers. */
  | 'not_asked'

/** What can happen only to a task in flight. */
export type FlightEvent = Exclude<
  EntryEvent,
  { type: 'retry' | 'retry-elsewhere' | 'become-native' | 'keep' | 'yield-key' }
>
