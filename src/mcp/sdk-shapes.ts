import type { InputRequiredResult, ProtocolError } from '@modelcontextprotocol/server'

/**
 * Values of the SDK, known by their shape. The adapter imports the SDK's types alone, so it loads where the SDK is missing, and then
 * `attachRefCache` says what to install.
 */

export function isInputRequired(result: unknown): result is InputRequiredResult {
  return (result as { resultType?: unknown } | undefined | null)?.resultType === 'input_required'
}

/** The SDK marks its errors so that copies of it know each other's. */
const BRANDS = Symbol.for('mcp.sdk.errorBrands')
const NAME = 'ProtocolError'

export function isProtocolError(error: unknown): error is ProtocolError {
  if (!(error instanceof Error) || !Number.isSafeInteger((error as { code?: unknown }).code)) return false
  const brands = (error as { [BRANDS]?: ReadonlySet<string> })[BRANDS]
  return error.name === NAME || brands?.has(`mcp.${NAME}`) === true
}

/** What the SDK makes a JSON-RPC error of: it goes by `code` and `data`. */
export class RpcError extends Error implements ProtocolError {
  override readonly name = NAME

  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message)
  }
}
