import type { FailedAttempt, Progress } from './entry.ts'
import type { ErrorCode, RpcError } from './errors.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { InputRequest } from './question.ts'
import type { RefId } from './ref.ts'

/**
 * What every answer has, whatever its status. The other fields keep one name and one meaning in every
 * status, and are left out where they have no value.
 */
interface AnswerBase {
  readonly refId: RefId
  /** The whole value is in this answer. */
  readonly isComplete: boolean
  /** Ask again: the value is not there (yet). */
  readonly isAsync: boolean
  /** What to do next, for an agent. */
  readonly message?: string
}

/** A finished value: whole, or the part of it that fits the budget. */
export interface CacheResponse extends AnswerBase {
  readonly status: 'complete'
  readonly isAsync: false
  /** When the value was made, where a call is answered with the result of an earlier one. */
  readonly cachedAt?: Date
  /** Size of the whole value's JSON; given by `taskStatus` to whoever may read it. */
  readonly valueBytes?: number
  /** The whole value, where `isComplete`. */
  readonly value?: JsonValue
  /** Its size in the cache's size mode. */
  readonly size?: number
  readonly preview?: JsonValue
  readonly previewStrategy?: 'sample' | 'truncate' | 'paginate'
  readonly originalSize?: number
  /** Very large values are measured by samples. */
  readonly originalSizeIsEstimate?: true
  readonly previewSize?: number
  /** Items of a list, entries of an object, lines or characters of a text. */
  readonly totalItems?: number
  readonly page?: number
  readonly totalPages?: number
  /** What the pages consist of. `json`: slices of the compact JSON text, because one item alone exceeds the budget. */
  readonly pageUnit?: 'items' | 'entries' | 'lines' | 'characters' | 'json'
  /** JSON Pointer to the list within the value that the pages are of, where they are not of the value itself. */
  readonly path?: string
  /** What stands beside a preview, for values of tools of MCP: `media`, `uri`. */
  readonly about?: JsonObject
  /** Metadata of such a value. */
  readonly meta?: JsonObject
}

/** A task that is not finished, or finished without a value. */
export interface AsyncTaskResponse extends AnswerBase {
  readonly status: 'pending' | 'processing' | 'failed' | 'cancelled'
  readonly isComplete: false
  readonly isAsync: true
  /** The tool whose task it is, so that two handles can be told apart. */
  readonly tool?: string
  readonly startedAt?: Date
  readonly progress?: Progress
  /** Finite and ≥ 0. */
  readonly etaSeconds?: number
  /** What the ETA goes by where that is not the task's own progress. */
  readonly etaBasis?: 'history'
  readonly pollAfterSeconds?: number
  /** What the task waits for, by key; only for whoever may answer (`RefCache.answerTask`). */
  readonly inputRequests?: Readonly<Record<string, InputRequest>>
  /** What went wrong. */
  readonly error?: string
  /** `task_failed` for whoever may not hear why. */
  readonly errorCode?: ErrorCode
  /** For `protocol_error`: what callers of the protocol are told. */
  readonly errorRpc?: RpcError
  /** Absent for whoever may not hear why. */
  readonly retryCount?: number
  readonly maxRetries?: number
  readonly canRetry?: boolean
  /** What the work ended with instead of a value, whole or the part that fits; only for whoever may read it. */
  readonly errorValue?: CacheResponse
  /** In the `full` format, which always has `retryCount` and `canRetry`, too. */
  readonly isCancellable?: boolean
  readonly retryHistory?: readonly FailedAttempt[]
  readonly expectedSchema?: JsonObject
}

/** What a call of a cached tool answers: inline value, preview, or handle. */
export type CallResponse = CacheResponse | AsyncTaskResponse
