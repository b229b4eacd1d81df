import type { ProtocolError } from '@modelcontextprotocol/server'
import { toRpcError } from '../../agent/tasks/errors.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
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

/** An error that a handler threw in terms of the protocol, in terms of the cache: so the entry can keep it. */
export function keepable(error: unknown): unknown {
  if (!isProtocolError(error)) return error
  const { code, message, data } = error
  return new ProtocolFailure(message, { code, ...plain(data) }, { cause: error })
}

/** Only what JSON can say is kept. */
function plain(data: unknown): { data?: JsonValue } {
  try {
    const json = JSON.stringify(data)
    return json === undefined ? {} : { data: JSON.parse(json) as JsonValue }
  } catch {
    return {}
  }
}
