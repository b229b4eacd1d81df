import { REF_ID_META } from '../agent/present.ts'
import { type ToolResult, toErrorResult } from '../agent/wire.ts'
import { ProtocolFailure, TaskFailed } from '../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { RefId } from '../core/ref.ts'
import {
  failure,
  isStateless,
  metaOf,
  type RpcError,
  RpcErrorCode,
  type RpcRequest,
  type RpcResponse,
  type RpcResult,
  result,
  withOtherId,
  withResultType,
} from './rpc.ts'

import type { KnownTool } from './tools/catalog.ts'

/** How a call was answered: with a result, or with a JSON-RPC error as the server gave it. */
export type CallOutcome =
  | {
      result: JsonObject | ToolResult
      /** Of the call behind it, also where nothing is stored. */
      refId?: RefId
    }
  | { error: RpcError }

/** Results that belong to this very call and are no value to keep: questions to the client. */
export class NotKept extends TaskFailed {
  constructor(
    readonly result: JsonObject,
    message: string,
  ) {
    super(message)
  }
}

/** What the call is answered with that ended so. */
export function asOutcome(error: unknown, { outputSchema }: Pick<KnownTool, 'outputSchema'>): CallOutcome {
  if (error instanceof NotKept) return { result: error.result }
  if (error instanceof ProtocolFailure) return { error: { ...error.rpc, message: error.message } }
  return { result: toErrorResult(error, { hasOutputSchema: outputSchema !== undefined }) }
}

/** Whether a small answer of the server's goes to the client as it came: a result of texts that says nothing of ours. */
export function passesAsItCame(response: RpcResponse): response is RpcResult {
  if (!('result' in response)) return false
  const { content, structuredContent, isError, resultType } = response.result
  if (isError === true || !Array.isArray(content)) return false
  if (resultType !== undefined && resultType !== 'complete') return false
  if (!content.every(isText)) return false
  if (structuredContent === undefined) return true
  return (
    isJsonObject(structuredContent) && !('ref_id' in structuredContent) && !('error' in structuredContent)
  )
}

function isText(block: JsonValue): boolean {
  return isJsonObject(block) && block.type === 'text' && typeof block.text === 'string'
}

/** The reference that an outcome is about, or came with. */
export function refIdOf(outcome: CallOutcome): RefId | undefined {
  if ('error' in outcome) return undefined
  if (outcome.refId !== undefined) return outcome.refId
  const result = outcome.result as JsonObject
  const named = metaOf({ _meta: result._meta ?? {} })[REF_ID_META] ?? refIdInBody(result)
  return typeof named === 'string' ? named : undefined
}

/** The reference that an answer of ours is about. Without structured content, its text begins with it. */
export function refIdInBody({ structuredContent, content }: JsonObject): unknown {
  return isJsonObject(structuredContent) ? structuredContent.ref_id : refIdInText(content)
}

function refIdInText(content: unknown): string | undefined {
  const [block] = Array.isArray(content) ? content : []
  const text = isJsonObject(block) && typeof block.text === 'string' ? block.text : ''
  return /^\{"ref_id":"([^"\\]+)"/.exec(text)?.[1]
}

/** The outcome as the answer to a request of either revision. */
export function asResponse(request: RpcRequest, outcome: CallOutcome): RpcResponse {
  if ('error' in outcome) return failure(request.id, outcome.error)
  const value = outcome.result as JsonObject
  return result(request.id, lacksType(request, value) ? { ...value, resultType: 'complete' } : value)
}

/** The same, for an answer of the server's that goes on as it came: as text, where that can be. */
export function asResponseText(
  request: RpcRequest,
  { result }: RpcResult,
  text: string,
  id: string,
): string | undefined {
  const typed = lacksType(request, result) ? withResultType(text) : text
  return typed && withOtherId(typed, id, request.id)
}

/** Whether it does not say of which type it is, as results of 2026-07-28 do. */
function lacksType({ params }: RpcRequest, { resultType }: JsonObject): boolean {
  return resultType === undefined && isStateless(params)
}

export const INTERNAL_ERROR: RpcError = {
  code: RpcErrorCode.internal,
  message: 'Something went wrong inside of the wrapper; see its log.',
}
