import { boundedError } from '../agent/error-limit.ts'
import { ExactNumber } from '../core/exact-number.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'

/** JSON-RPC 2.0 as it goes over the wire: the little that a proxy has to know of a message. */

/** A number may be an `ExactNumber`: what is known by an id stands in an `IdMap`. */
export type RpcId = string | number

export interface RpcRequest {
  jsonrpc: '2.0'
  id: RpcId
  method: string
  params?: JsonObject
}

export interface RpcNotification {
  jsonrpc: '2.0'
  method: string
  params?: JsonObject
}

export interface RpcResult {
  jsonrpc: '2.0'
  id: RpcId
  result: JsonObject
}

export interface RpcFailure {
  jsonrpc: '2.0'
  id: RpcId
  error: RpcError
}

export interface RpcError {
  code: number
  message: string
  data?: JsonValue
}

export type RpcResponse = RpcResult | RpcFailure
export type RpcMessage = RpcRequest | RpcNotification | RpcResponse

/** The codes that this package gives by itself. The server's own pass through as they are. */
export const RpcErrorCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** 2026-07-28: the headers of an HTTP request do not say what its body says. */
  headerMismatch: -32020,
  /** 2026-07-28: the client has to declare an ability first. */
  missingCapability: -32021,
  /** 2026-07-28: the revision of a request is none of the server's. */
  unsupportedVersion: -32022,
  /** The wrapped server went away, or cannot be reached. In the range that JSON-RPC leaves to servers. */
  upstreamLost: -32000,
} as const

export function isRpcMessage(value: unknown): value is RpcMessage {
  if (!isObject(value)) return false
  const { jsonrpc, id, method, params, result, error } = value
  if (jsonrpc !== '2.0' || !(params === undefined || isObject(params))) return false
  if (method !== undefined) return typeof method === 'string' && (id === undefined || isId(id))
  if (isObject(error)) return isId(id) && isNumber(error.code) && typeof error.message === 'string'
  return isId(id) && isObject(result)
}

export function isId(value: unknown): value is RpcId {
  return typeof value === 'string' || isNumber(value)
}

function isNumber(value: unknown): value is number {
  return value instanceof ExactNumber || Number.isFinite(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isJsonObject(value as JsonValue)
}

export function isRequest(message: RpcMessage): message is RpcRequest {
  return 'method' in message && 'id' in message && message.id !== undefined
}

export function isNotification(message: RpcMessage): message is RpcNotification {
  return 'method' in message && !isRequest(message)
}

export function isResponse(message: RpcMessage): message is RpcResponse {
  return !('method' in message)
}

export function notification(method: string, params?: JsonObject): RpcNotification {
  return { jsonrpc: '2.0', method, ...(params ? { params } : {}) }
}

export function result(id: RpcId, value: JsonObject): RpcResult {
  return { jsonrpc: '2.0', id, result: value }
}

/** The text of a response with another id; undefined where it does not show which of its texts is the id. */
export function withOtherId(text: string, own: string, id: RpcId): string | undefined {
  const written = JSON.stringify(own)
  const at = text.indexOf(written)
  if (at < 0 || text.includes(written, at + 1)) return undefined
  return text.slice(0, at) + stringifyJson(id as JsonValue) + text.slice(at + written.length)
}

/** What may stand in front of a result. */
const BEFORE_RESULT = /^\s*\{\s*(?:"(?:jsonrpc|id)"\s*:\s*(?:"[^"\\]*"|-?\d+)\s*,\s*)*"result"\s*:\s*\{/

/** The text of a result, with the type that 2026-07-28 wants of each; undefined where it does not show where the result begins. */
export function withResultType(text: string): string | undefined {
  const begin = BEFORE_RESULT.exec(text)?.[0]
  return begin && `${begin}"resultType":"complete",${text.slice(begin.length)}`
}

/** An error of ours, or one that we report. What the server answers by itself passes as it is. */
export function failure(id: RpcId, error: RpcError): RpcFailure {
  return { jsonrpc: '2.0', id, error: boundedError(error) }
}

const PROTOCOL_META = 'io.modelcontextprotocol/'
/** Where a request of 2026-07-28 names its revision. */
export const PROTOCOL_VERSION = `${PROTOCOL_META}protocolVersion`

/** Whether a request is of 2026-07-28, which has no session. */
export function isStateless(params: JsonObject | undefined): boolean {
  return PROTOCOL_VERSION in metaOf(params)
}

/** What a request of 2026-07-28 says in `_meta`, and a handshake said before. */
export function protocolMeta(params: JsonObject | undefined): JsonObject | undefined {
  if (!isStateless(params)) return undefined
  const meta = metaOf(params)
  return Object.fromEntries(Object.entries(meta).filter(([key]) => key.startsWith(PROTOCOL_META)))
}

const CLIENT_CAPABILITIES = `${PROTOCOL_META}clientCapabilities`

/** What the client of a request of 2026-07-28 declares with it. */
export function clientCapabilitiesOf(params: JsonObject | undefined): JsonObject {
  const capabilities = metaOf(params)[CLIENT_CAPABILITIES]
  return isObject(capabilities) ? (capabilities as JsonObject) : {}
}

/** The params, as a client with other capabilities would send them. */
export function withClientCapabilities(params: JsonObject, capabilities: JsonObject): JsonObject {
  return { ...params, _meta: { ...metaOf(params), [CLIENT_CAPABILITIES]: capabilities } }
}

/** Where a message of 2025-11-25 says which task it belongs to. */
export const RELATED_TASK = `${PROTOCOL_META}related-task`

export function metaOf(params: JsonObject | undefined): JsonObject {
  const meta = params?._meta
  return isJsonObject(meta) ? meta : {}
}

export function progressTokenOf(params: JsonObject | undefined): RpcId | undefined {
  const token = metaOf(params).progressToken
  return isId(token) ? token : undefined
}
