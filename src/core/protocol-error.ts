import { ProtocolFailure } from './errors.ts'
import type { JsonValue } from './json.ts'

/** An error of JSON-RPC as the SDKs of MCP throw it. */
export interface ThrownProtocolError extends Error {
  readonly code: number
  readonly data?: unknown
}

/** The SDK marks its errors so that copies of it know each other's. */
const BRANDS = Symbol.for('mcp.sdk.errorBrands')
export const PROTOCOL_ERROR = 'ProtocolError'

/** Known by its shape: no SDK need be there. */
export function isProtocolError(error: unknown): error is ThrownProtocolError {
  if (!(error instanceof Error) || !Number.isSafeInteger((error as { code?: unknown }).code)) return false
  const brands = (error as { [BRANDS]?: ReadonlySet<string> })[BRANDS]
  return error.name === PROTOCOL_ERROR || brands?.has(`mcp.${PROTOCOL_ERROR}`) === true
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
