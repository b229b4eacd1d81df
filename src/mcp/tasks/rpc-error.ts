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

const INVALID_PARAMS = -32602
const INTERNAL_ERROR = -32603

const NO_SUCH_TASK = 'No such task: it is unknown, or it has expired.'

/** What a request about a task is answered with when it fails, as JSON-RPC has it. */
export function toRpcError(error: unknown): TaskRpcError {
  return boundedError(rpcErrorOf(error))
}

interface TaskRpcError {
  code: number
  message: string
  data?: JsonValue
}

function rpcErrorOf(error: unknown): TaskRpcError {
  if (error instanceof ProtocolFailure) return { ...error.rpc, message: error.message }
  // Unknown, expired, somebody else's: one answer.
  if (error instanceof NotFound) return { code: INVALID_PARAMS, message: NO_SUCH_TASK }
  const { message } = toWireError(error instanceof RefCacheError ? error : internalError(error))
  const fault =
    error instanceof InvalidArgument || error instanceof PermissionDenied || error instanceof ValueTooLarge
  return { code: fault ? INVALID_PARAMS : INTERNAL_ERROR, message }
}
