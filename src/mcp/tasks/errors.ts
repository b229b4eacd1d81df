import type { ProtocolError } from '@modelcontextprotocol/server'
import { toRpcError } from '../../agent/tasks/errors.ts'
import { isProtocolError, RpcError } from '../sdk-shapes.ts'

/** What a request about a task is answered with when it fails: an error of JSON-RPC. */
export function toProtocolError(error: unknown): ProtocolError {
  if (isProtocolError(error)) return error
  const { code, message, data } = toRpcError(error)
  return new RpcError(code, message, data)
}

/** Runs the answer to a request about a task. */
export async function answeringInProtocol<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toProtocolError(error)
  }
}
