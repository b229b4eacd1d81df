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
  /** Nothing is stored behind this answer to a call with `claim: 'late'`: its `refId` names nothing. */
  readonly isUnstored?: true
  /** The whole value is in this answer. */
  readonly isComplete: boolean
  /** When the value, or the record of how its task ended, goes; of what has more to it than this answer. */
  readonly expiresAt?: Date
  /** The task is in flight: ask again. */
  readonly isAsync: boolean
  /** What to do next, for an agent. */
  readonly message?: string
}

/** What is shown of a value. */
interface ShownContent {
  readonly preview?: JsonValue
  /**
   * In the place of a preview: a list of records as a table, for adapters. A text in the place of a row says which rows are left out;
   * the cell of a field that a record lacks is `"…(absent)"`.
   */
  readonly columns?: readonly string[]
  readonly rows?: readonly (JsonValue[] | string)[]
  readonly previewStrategy?: 'sample' | 'truncate' | 'paginate'
  readonly originalSize?: number
  /** Very large values are measured by samples. */
  readonly originalSizeIsEstimate?: true
  readonly previewSize?: number
  /** In a preview: the tables of the value, with their rows and what their columns are like. */
  readonly shape?: JsonObject
  /** In a preview of several texts: what each of them is, by the fragment of a reference that names it. */
  readonly parts?: JsonObject
  /** First and last line that are shown of a text, from 1, where they are one run. */
  readonly lines?: readonly [first: number, last: number]
  readonly totalLines?: number
  /** The value is a text, and what is shown is the JSON that it is, in a compacter form. */
  readonly reformatted?: true
  /** Items of a list, entries of an object, lines or characters of a text. */
  readonly totalItems?: number
  readonly page?: number
  readonly totalPages?: number
  /** All pages are not laid out yet: there are about so many. */
  readonly totalPagesIsEstimate?: true
  /** What the pages consist of. `json`: slices of the compact JSON text, because one item alone exceeds the budget. */
  readonly pageUnit?: 'items' | 'entries' | 'lines' | 'characters' | 'json'
  /** JSON Pointer to the list or text within the value that the pages are of, where they are not of all of it. */
  readonly path?: string
  /**
   * Items or lines that the task has appended so far; only for an actor with READ. In the answer of a question: that the value had
   * which was asked.
   */
  readonly available?: number
  /** There may be more of it later. */
  readonly isGrowing?: true
  /** The task has ended without a value; what it had appended until then is kept. */
  readonly partial?: true
}

interface CompleteResponse extends AnswerBase, ShownContent {
  readonly status: 'complete'
  readonly isAsync: false
  /** When the value was made, where a call is answered with the result of an earlier one. */
  readonly cachedAt?: Date
  /** The rest of a preview could not be kept (`store_unavailable`). */
  readonly errorCode?: ErrorCode
  /** Size of the whole value's JSON; `taskStatus` gives it to an actor with READ. */
  readonly valueBytes?: number
  /** What stands beside a preview, for values of tools of MCP: `media`, `uri`. */
  readonly about?: JsonObject
  /** Metadata of such a value. */
  readonly meta?: JsonObject
  /** The `value` stands in for a reference that was wanted: adapters give it beside its `ref_id`. */
  readonly isReference?: true
  /** The `value` is a CallToolResult of MCP, with its content blocks: adapters pass it on as it is. */
  readonly isToolResult?: true
}

/** A finished value that fits the budget. */
export interface WholeResponse<Output = JsonValue> extends CompleteResponse {
  readonly isComplete: true
  /** What the handler gave, as JSON keeps it: a Date comes back as its text. */
  readonly value: Output
  /** Its size in the cache's size mode. Up to the budget its UTF-8 bytes stand for tokens: it has at most as many. */
  readonly size: number
}

/** A finished value that does not fit, or that the caller may not see: a preview or a page of it, or the bare reference. */
export interface PartialResponse extends CompleteResponse {
  readonly isComplete: false
  readonly value?: undefined
  readonly size?: undefined
}

/** A finished value: whole, or the part of it that fits the budget. */
export type CacheResponse<Output = JsonValue> = WholeResponse<Output> | PartialResponse

/**
 * How a task stands; and where a page, a part or all of what it has appended was asked for (`task.append`), that too: as a preview,
 * whole or not.
 */
interface TaskResponse extends AnswerBase, ShownContent {
  readonly isComplete: false
  /** The tool whose task it is, so that two handles can be told apart. */
  readonly tool?: string
  readonly startedAt?: Date
  readonly progress?: Progress
  /** Finite and ≥ 0. */
  readonly etaSeconds?: number
  /** What the ETA goes by where that is not the task's own progress. */
  readonly etaBasis?: 'history'
  readonly pollAfterSeconds?: number
  /** What the task waits for, by key; only for an actor that may answer (`RefCache.answerTask`). */
  readonly inputRequests?: Readonly<Record<string, InputRequest>>
  /** What went wrong. */
  readonly error?: string
  /** `task_failed` for an actor that may not read the reason. */
  readonly errorCode?: ErrorCode
  /** For `protocol_error`: what callers of the protocol are told. */
  readonly errorRpc?: RpcError
  /** Absent for an actor that may not read the reason. */
  readonly retryCount?: number
  readonly maxRetries?: number
  readonly canRetry?: boolean
  /** The native task that this one tries again. */
  readonly retryOf?: RefId
  /** What tries this native task again: ask for that. */
  readonly retriedAs?: RefId
  /** What the work ended with instead of a value, whole or the part that fits; only for an actor with READ. */
  readonly errorValue?: CacheResponse
  /** In the `full` format, which always has `retryCount` and `canRetry`, too. */
  readonly isCancellable?: boolean
  readonly retryHistory?: readonly FailedAttempt[]
  readonly expectedSchema?: JsonObject
}

/** A task that runs, or waits to. */
export interface InFlightResponse extends TaskResponse {
  readonly status: 'pending' | 'processing'
  readonly isAsync: true
}

/** A task that failed. Its error is there in every format. */
export interface FailedResponse extends TaskResponse {
  readonly status: 'failed'
  readonly isAsync: false
  readonly error: string
  readonly errorCode: ErrorCode
  readonly canRetry: boolean
}

/** A cancelled task. */
export interface CancelledResponse extends TaskResponse {
  readonly status: 'cancelled'
  readonly isAsync: false
  readonly canRetry: boolean
}

/** A task that is not finished, or finished without a value. */
export type AsyncTaskResponse = InFlightResponse | FailedResponse | CancelledResponse

/** What a call of a cached tool answers: inline value, preview, or handle. */
export type CallResponse<Output = JsonValue> = CacheResponse<Output> | AsyncTaskResponse
