import type { JsonValue } from './json.ts'

/** The codes that callers and clients may rely on. The first eight are the wire's (docs/wire-format.md). */
export type ErrorCode =
  | 'not_found'
  | 'permission_denied'
  | 'invalid_argument'
  | 'task_failed'
  | 'task_cancelled'
  | 'task_not_ready'
  | 'value_too_large'
  | 'answer_too_large'
  | 'query_limit'
  | 'store_unavailable'
  | 'store_full'
  | 'internal'
  | 'not_serializable'
  | 'circular_reference'
  | 'hard_timeout'
  | 'worker_lost'
  | 'worker_out_of_memory'
  | 'queue_full'
  | 'protocol_error'
  | 'input_unavailable'

/** Base of every error this package throws on purpose. `message` says what happened and what to do next. */
export abstract class RefCacheError extends Error {
  abstract readonly code: ErrorCode
  /** A literal in each class: a minifier renames classes. */
  abstract override readonly name: string
}

/**
 * The reference is unknown, expired, or not the caller's to know of: one answer for all three, so that
 * it is no oracle for what exists.
 */
export class NotFound extends RefCacheError {
  readonly name = 'NotFound'
  readonly code = 'not_found'

  /** @param owner the other cache whose reference it is, going by its name alone */
  constructor(owner?: string) {
    super(
      owner === undefined
        ? 'No such reference: it is unknown or has expired. Call the tool that produced it again to get a new ref_id.'
        : `No reference of this server: going by its name it belongs to '${owner}'. Use the tools of that server to follow it.`,
    )
  }
}

/** The caller may know of the entry, but not do this with it. */
export class PermissionDenied extends RefCacheError {
  readonly name = 'PermissionDenied'
  readonly code = 'permission_denied'
}

/** `invalid_argument`: an option, argument or input is wrong. The message says which, and what is expected. */
export class InvalidArgument extends RefCacheError {
  readonly name = 'InvalidArgument'
  readonly code = 'invalid_argument'
}

/** The task behind a reference failed. `cause` is the handler's own error where it ran in this process. */
export class TaskFailed extends RefCacheError {
  readonly name = 'TaskFailed'
  readonly code: ErrorCode
  /** What the work ended with instead of a value. Kept with the failed task, and shown like a value. */
  readonly value: JsonValue | undefined

  constructor(message: string, options?: { cause?: unknown; code?: ErrorCode; value?: JsonValue }) {
    super(message, options)
    this.code = options?.code ?? 'task_failed'
    this.value = options?.value
  }
}

/** An error of JSON-RPC, as far as its message does not say it. */
export interface RpcError {
  readonly code: number
  readonly data?: JsonValue
}

/** The work ended with an error of the protocol that it was called by; callers of that protocol are told just that error. */
export class ProtocolFailure extends RefCacheError {
  readonly name = 'ProtocolFailure'
  readonly code = 'protocol_error'

  constructor(
    message: string,
    readonly rpc: RpcError,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** `task_cancelled`: the task was cancelled, so there will be no value. */
export class TaskCancelled extends RefCacheError {
  readonly name = 'TaskCancelled'
  readonly code = 'task_cancelled'
}

/** `task_not_ready`: the task behind a reference has not finished: wait for it, or cancel it. */
export class TaskNotReady extends RefCacheError {
  readonly name = 'TaskNotReady'
  readonly code = 'task_not_ready'
}

/** The handler ran past its hard timeout; it was told to stop through `task.signal`. */
export class HardTimeout extends RefCacheError {
  readonly name = 'HardTimeout'
  readonly code = 'hard_timeout'
}

/** The process that ran the task went away before the task finished. */
export class WorkerLost extends RefCacheError {
  readonly name = 'WorkerLost'
  readonly code = 'worker_lost'
}

/** The handler needed more memory than the thread that ran it may have. The process and its other work go on. */
export class WorkerOutOfMemory extends RefCacheError {
  readonly name = 'WorkerOutOfMemory'
  readonly code = 'worker_out_of_memory'

  constructor(
    message = 'The tool needed more memory than one thread may have, and was stopped. Ask it for less, or have its operator raise memoryLimit.',
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** More tasks wait than the cache admits; the call was not started. */
export class QueueFull extends RefCacheError {
  readonly name = 'QueueFull'
  readonly code = 'queue_full'
}

/** The actor that started the task cannot answer this question, or its client refused it. */
export class InputUnavailable extends RefCacheError {
  readonly name = 'InputUnavailable'
  readonly code = 'input_unavailable'

  /** @param refusal what the client said instead of an answer, where it was asked */
  constructor(
    message = 'This tool has a question for its user, and the client that called it cannot be asked while a task runs: it does not follow tasks of MCP. Tell the user.',
    readonly refusal?: { readonly code: number; readonly message: string },
  ) {
    super(message)
  }
}

/** `value_too_large`: a value or a filled input is beyond a limit. The message names the limit. */
export class ValueTooLarge extends RefCacheError {
  readonly name = 'ValueTooLarge'
  readonly code = 'value_too_large'
}

/** `answer_too_large`: more than the reader of an answer can take. The message says how much it would be, and what to ask for instead. */
export class AnswerTooLarge extends RefCacheError {
  readonly name = 'AnswerTooLarge'
  readonly code = 'answer_too_large'
}

/** `query_limit`: a question took longer, or needed more memory, than is allowed, and was stopped. The next one works. */
export class QueryLimit extends RefCacheError {
  readonly name = 'QueryLimit'
  readonly code = 'query_limit'
}

/** What strangers are told of a store that failed: its own words name files and hosts, which are for its operator. */
export const STORE_AWAY = 'The store of the cache cannot be used at the moment. Try again in a while.'

/** The store cannot be reached, opened or written. `cause` is the driver's own error. */
export class StoreUnavailable extends RefCacheError {
  readonly name: string = 'StoreUnavailable'
  readonly code: 'store_unavailable' | 'store_full' = 'store_unavailable'
}

/** The store has no room for what was to be written. What is in it can be read. */
export class StoreFull extends StoreUnavailable {
  override readonly name: string = 'StoreFull'
  override readonly code = 'store_full'
  /** For everybody: says nothing of files and hosts. */
  static readonly advice =
    'The store of the cache is full. Ask for less, or have its operator make room (more memory or disk, or a shorter ttl), then call the tool again.'
}

/** Why an entry that names segments is not stored. What is written again is staged again. */
export class MissingSegments extends StoreUnavailable {
  override readonly name = 'MissingSegments'

  constructor() {
    super('A part of the value was lost while it was written. Try again.')
  }
}

/** One caller has stored as much as it may. There may be room for others, and for it when its results expire. */
export class QuotaFull extends StoreFull {
  override readonly name = 'QuotaFull'
}

/** The store was written by a version of this package with another format. It was left as it is; the message says what to do. */
export class UnknownStoreFormat extends StoreUnavailable {
  override readonly name = 'UnknownStoreFormat'
  /** For everybody: says nothing of files and hosts. */
  static readonly advice =
    'The store of the cache was written by another version of mcp-refcache, and is left as it is. Have its operator run one version on it, or give this one a store of its own.'
}

/**
 * A value that is stored and cannot be read: damaged, or written by a version that can do more. The store itself is well,
 * and calling the tool again stores the value anew.
 */
export class UnreadableValue extends StoreUnavailable {
  override readonly name = 'StoreUnavailable'
  /** For everybody: says nothing of files and hosts. */
  static readonly advice =
    'The stored value of this reference cannot be read any more. Call the tool that produced it again to get a new ref_id.'

  constructor(reason: string, options?: { cause?: unknown }) {
    super(`${UnreadableValue.advice} (${reason})`, options)
  }
}

/** What strangers are told of an error of the store. */
export function publicMessageOf(error: StoreUnavailable): string {
  if (error instanceof UnreadableValue) return UnreadableValue.advice
  if (error instanceof UnknownStoreFormat) return UnknownStoreFormat.advice
  if (error instanceof QuotaFull) return error.message
  return error instanceof StoreFull ? StoreFull.advice : STORE_AWAY
}

/** The value holds something that JSON would lose or refuse; the message names where. */
export class NotSerializable extends RefCacheError {
  readonly name = 'NotSerializable'
  readonly code = 'not_serializable'
}

/** `circular_reference`: a value contains itself, or references in an input lead back to it. */
export class CircularReference extends RefCacheError {
  readonly name = 'CircularReference'
  readonly code = 'circular_reference'
}
