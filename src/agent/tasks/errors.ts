import {
  InvalidArgument,
  NotFound,
  PermissionDenied,
  ProtocolFailure,
  RefCacheError,
  ValueTooLarge,
} from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { boundedError } from '../error-limit.ts'
import { internalError, toWireError } from '../wire.ts'
import { TASKS_EXTENSION } from './capabilities.ts'

/** What a request about a task is answered with when it fails: an error of JSON-RPC. */
export interface RpcError {
  code: number
  message: string
  data?: JsonValue
}

const METHOD_NOT_FOUND = -32601
const INVALID_PARAMS = -32602
const INTERNAL_ERROR = -32603
/** 2026-07-28: the client has to declare an ability first. */
const MISSING_CAPABILITY = -32021

/** One answer for a task that is unknown, expired, or somebody else's. */
export const NO_SUCH_TASK = 'No such task: it is unknown, or it has expired.'

export function toRpcError(error: unknown): RpcError {
  return boundedError(rpcErrorOf(error))
}

function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof ProtocolFailure) return { ...error.rpc, message: error.message }
  // Unknown, expired, somebody else's: one answer.
  if (error instanceof NotFound) return { code: INVALID_PARAMS, message: NO_SUCH_TASK }
  const { message } = toWireError(error instanceof RefCacheError ? error : internalError(error))
  const fault =
    error instanceof InvalidArgument || error instanceof PermissionDenied || error instanceof ValueTooLarge
  return { code: fault ? INVALID_PARAMS : INTERNAL_ERROR, message }
}

/** A client of 2026-07-28 that follows tasks has to say so with each request. */
export function tasksNotDeclared(): ProtocolFailure {
  return new ProtocolFailure(
    `Requests about tasks need the client to declare the extension ${TASKS_EXTENSION}.`,
    { code: MISSING_CAPABILITY, data: { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } } },
  )
}

export function methodNotFound(message: string): ProtocolFailure {
  return new ProtocolFailure(message, { code: METHOD_NOT_FOUND })
}

export function invalidParams(message: string): ProtocolFailure {
  return new ProtocolFailure(message, { code: INVALID_PARAMS })
}
