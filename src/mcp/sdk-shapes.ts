import type { InputRequiredResult, ProtocolError } from '@modelcontextprotocol/server'
import { isProtocolError as isThrownProtocolError, PROTOCOL_ERROR } from '../core/protocol-error.ts'

/**
 * Values of the SDK, known by their shape. The adapter imports the SDK's types alone, so it loads where the SDK is missing, and then
 * `attachRefCache` says what to install.
 */

export function isInputRequired(result: unknown): result is InputRequiredResult {
  return (result as { resultType?: unknown } | undefined | null)?.resultType === 'input_required'
}

export function isProtocolError(error: unknown): error is ProtocolError {
  return isThrownProtocolError(error)
}

/** What the SDK makes a JSON-RPC error of: it goes by `code` and `data`. */
export class RpcError extends Error implements ProtocolError {
  override readonly name = PROTOCOL_ERROR

  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message)
  }
}
