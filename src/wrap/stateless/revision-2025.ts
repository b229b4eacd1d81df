import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import {
  metaOf,
  type RpcError,
  RpcErrorCode,
  type RpcRequest,
  type RpcResponse,
  withResultType,
} from '../rpc.ts'

/** What differs between messages of 2025-11-25 and of 2026-07-28, one message at a time. Pure. */

export const STATELESS_REVISION = '2026-07-28'

const PROTOCOL_META = 'io.modelcontextprotocol/'
export const SERVER_INFO = `${PROTOCOL_META}serverInfo`
const LOG_LEVEL = `${PROTOCOL_META}logLevel`

/** Requests of 2025-11-25 that the later revision has no more. */
const REMOVED = /^(?:initialize|ping|logging\/setLevel|resources\/(?:un)?subscribe|tasks\/\w+)$/

export function isRemoved(method: string): boolean {
  return REMOVED.test(method)
}

/** Those that may be answered with questions. */
export function canAsk(method: string): boolean {
  return method === 'tools/call' || method === 'prompts/get' || method === 'resources/read'
}

/** The params without what a request of 2026-07-28 says of its client, and of an earlier round. */
export function toParamsOf2025({ _meta, inputResponses, requestState, ...params }: JsonObject): JsonObject {
  const kept = Object.entries(metaOf({ _meta: _meta ?? {} })).filter(
    ([key]) => !key.startsWith(PROTOCOL_META),
  )
  return kept.length === 0 ? params : { ...params, _meta: Object.fromEntries(kept) }
}

/** The log messages that the client of a request wants to see, by their least level. */
export function logLevelOf(params: JsonObject | undefined): string | undefined {
  const level = metaOf(params)[LOG_LEVEL]
  return typeof level === 'string' ? level : undefined
}

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

export function isLoggedAt(level: JsonValue | undefined, least: string): boolean {
  return LEVELS.indexOf(String(level)) >= LEVELS.indexOf(least)
}

/** What a server says of itself, made from its handshake. */
export function toDiscovery({ capabilities, serverInfo, instructions }: JsonObject): JsonObject {
  const { tasks, ...kept } = isJsonObject(capabilities) ? capabilities : {}
  return {
    resultType: 'complete',
    supportedVersions: [STATELESS_REVISION],
    capabilities: kept,
    ...(typeof instructions === 'string' ? { instructions } : {}),
    ...NOT_TO_BE_KEPT,
    ...(isJsonObject(serverInfo) ? { _meta: { [SERVER_INFO]: serverInfo } } : {}),
  }
}

/** Nothing is known of how long an answer holds, or for whom. */
const NOT_TO_BE_KEPT = { ttlMs: 0, cacheScope: 'private' }

const KEEPABLE = /^(?:tools\/list|prompts\/list|resources\/list|resources\/templates\/list|resources\/read)$/

/** The answer to a request, as the later revision writes it. */
export function toResponseOf2026({ method }: RpcRequest, response: RpcResponse): RpcResponse {
  if ('error' in response) return { ...response, error: toError(method, response.error) }
  const { result } = response
  const hints = KEEPABLE.test(method) ? NOT_TO_BE_KEPT : {}
  const shown = method === 'tools/list' ? withoutExecution(result) : result
  return { ...response, result: { resultType: 'complete', ...hints, ...shown } }
}

/** The text of such an answer, where the type of its result is all that differs. */
export function toTextOf2026(
  { method }: RpcRequest,
  response: RpcResponse,
  text: string | undefined,
): string | undefined {
  if (text === undefined || method !== 'tools/call' || 'error' in response) return undefined
  return response.result.resultType === undefined ? withResultType(text) : text
}

const RESOURCE_NOT_FOUND = -32_002

function toError(method: string, error: RpcError): RpcError {
  const isMissing = method === 'resources/read' && Number(error.code) === RESOURCE_NOT_FOUND
  return isMissing ? { ...error, code: RpcErrorCode.invalidParams } : error
}

/** Whether a tool runs as a task is for its server and us: the later revision has no such word in lists. */
function withoutExecution(page: JsonObject): JsonObject {
  if (!Array.isArray(page.tools)) return page
  const tools = page.tools.map(tool => {
    if (!isJsonObject(tool)) return tool
    const { execution: _, ...kept } = tool
    return kept
  })
  return { ...page, tools }
}

/** The tools of a list that can be called as tasks alone. */
export function tasksAloneIn({ tools }: JsonObject): string[] {
  if (!Array.isArray(tools)) return []
  return tools.flatMap(tool => {
    if (!isJsonObject(tool) || !isJsonObject(tool.execution)) return []
    return tool.execution.taskSupport === 'required' ? [String(tool.name)] : []
  })
}

/** The part of a subscription that the server's capabilities allow. */
export function honoredOf(asked: JsonValue | undefined, capabilities: JsonValue | undefined): JsonObject {
  const wanted = isJsonObject(asked) ? asked : {}
  const can = (kind: string, ability: string) => {
    const declared = isJsonObject(capabilities) ? capabilities[kind] : undefined
    return isJsonObject(declared) && declared[ability] === true
  }
  const uris = Array.isArray(wanted.resourceSubscriptions)
    ? wanted.resourceSubscriptions.filter(uri => typeof uri === 'string')
    : []
  return {
    ...Object.fromEntries(
      ['tools', 'prompts', 'resources']
        .filter(kind => wanted[`${kind}ListChanged`] === true && can(kind, 'listChanged'))
        .map(kind => [`${kind}ListChanged`, true]),
    ),
    ...(uris.length > 0 && can('resources', 'subscribe') ? { resourceSubscriptions: uris } : {}),
  }
}

/** Whether a subscription is about what a notification of the server says. */
export function isAbout(honored: JsonObject, method: string, params: JsonObject): boolean {
  const list = /^notifications\/(tools|prompts|resources)\/list_changed$/.exec(method)
  if (list) return honored[`${list[1]}ListChanged`] === true
  const uris = honored.resourceSubscriptions
  return (
    method === 'notifications/resources/updated' && Array.isArray(uris) && uris.includes(params.uri ?? null)
  )
}
