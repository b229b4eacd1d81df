import { asInspectable, errorText } from '../core/error-text.ts'
import {
  CircularReference,
  type ErrorCode,
  HardTimeout,
  InputUnavailable,
  InvalidArgument,
  NotSerializable,
  PermissionDenied,
  ProtocolFailure,
  QueueFull,
  type RefCacheError,
  type RpcError,
  StoreFull,
  StoreUnavailable,
  TaskCancelled,
  TaskFailed,
  ValueTooLarge,
  WorkerLost,
  WorkerOutOfMemory,
} from '../core/errors.ts'
import type { JsonValue } from '../core/json.ts'

/** An error as a message carries it: plain JSON. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly stack?: string
  /** That of a `RefCacheError`, or what the error itself says (`ENOENT`). */
  readonly code?: string | number
  readonly cause?: ErrorData
  /** Those of an AggregateError. */
  readonly errors?: readonly ErrorData[]
  /** The value of a `TaskFailed`. */
  readonly value?: JsonValue
  /** Of a `ProtocolFailure`. */
  readonly rpc?: RpcError
}

/** So far causes are followed. */
const MAX_CAUSES = 8

/** An error as plain data, with its code, its cause and what else a task keeps of it. Never throws. */
export function toErrorData(thrown: unknown, depth = 0): ErrorData {
  const error = asInspectable(thrown)
  if (!(error instanceof Error)) return { name: 'Error', message: errorText(error) }
  const { name, message, stack, cause } = error
  const { code, errors } = error as { code?: unknown; errors?: unknown }
  const deeper = depth < MAX_CAUSES
  return {
    name: String(name),
    message: String(message),
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(deeper && cause !== undefined ? { cause: toErrorData(cause, depth + 1) } : {}),
    ...(deeper && Array.isArray(errors) ? { errors: errors.map(one => toErrorData(one, depth + 1)) } : {}),
    ...(error instanceof TaskFailed && error.value !== undefined ? { value: error.value } : {}),
    ...(error instanceof ProtocolFailure ? { rpc: error.rpc } : {}),
  }
}

/** The error that `toErrorData` described: of its own class where it is one of this package, else an Error of its name. */
export function fromErrorData(data: ErrorData): Error {
  const error = create(data)
  if (data.stack !== undefined) error.stack = data.stack
  return error
}

type Kind = new (message: string, options?: { cause?: unknown }) => RefCacheError

/** By the names that the errors give themselves. */
const KINDS: Readonly<Record<string, Kind>> = {
  CircularReference,
  HardTimeout,
  InvalidArgument,
  NotSerializable,
  PermissionDenied,
  QueueFull,
  StoreFull,
  StoreUnavailable,
  TaskCancelled,
  ValueTooLarge,
  WorkerLost,
  WorkerOutOfMemory,
}

function create({ name, message, code, cause, errors, value, rpc }: ErrorData): Error {
  const options = cause ? { cause: fromErrorData(cause) } : {}
  if (name === 'TaskFailed') {
    return new TaskFailed(message, {
      ...options,
      code: code as ErrorCode,
      ...(value === undefined ? {} : { value }),
    })
  }
  if (rpc) return new ProtocolFailure(message, rpc, options)
  if (name === 'InputUnavailable') return new InputUnavailable(message)
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (kind) return new kind(message, options)
  const error = errors
    ? new AggregateError(errors.map(fromErrorData), message, options)
    : new Error(message, options)
  return Object.assign(error, { name }, code === undefined ? {} : { code })
}
