import { type ToolResult, toToolResult } from '../agent/wire.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { CallResponse } from '../core/response.ts'
import { REF_ID_META } from './call-outcome.ts'

/** Whether the task behind an error of a tool can be tried again. */
export const CAN_RETRY_META = 'mcp-refcache/can_retry'

/**
 * How a client is answered about a call of the wrapped server's tools. A result that fits is passed on as the server gave
 * it, an error of the tool too; anything else becomes an answer about its reference.
 */
export function present(response: CallResponse): ToolResult {
  const shown = response.status === 'complete' ? response : response.errorValue
  if (!shown?.isComplete || !isJsonObject(shown.value)) return toToolResult(response)
  return withReference(shown.value, response)
}

/** The server's own result, with our metadata beside its own. Without an entry behind it there is nothing to add. */
export function withReference(result: JsonObject, response: CallResponse): ToolResult {
  if (response.isUnstored) return result as unknown as ToolResult
  const canRetry = response.status === 'complete' ? undefined : response.canRetry
  const meta = {
    ...(result._meta as JsonObject | undefined),
    [REF_ID_META]: response.refId,
    ...(canRetry === undefined ? {} : { [CAN_RETRY_META]: canRetry }),
  }
  const passed = { ...result, _meta: meta }
  const cachedAt = response.status === 'complete' ? response.cachedAt : undefined
  return (cachedAt ? withAge(passed, cachedAt, Date.now()) : passed) as unknown as ToolResult
}

/** Where a result that is passed on as it is says when it was made. */
export const CACHED_AT_META = 'mcp-refcache/cached_at'

/** A result that is younger than this says its age to the client's program alone. */
const WORTH_MENTIONING_MS = 60_000

/** The result of an earlier call, with its age: for programs in the metadata, for models in a text at the end. */
export function withAge(result: JsonObject, cachedAt: Date, now: number): JsonObject {
  const age = now - cachedAt.getTime()
  const content: readonly JsonValue[] = Array.isArray(result.content) ? result.content : []
  const text = `(The result of an earlier call, ${inWords(age)} ago. The same call with _fresh: true runs anew.)`
  return {
    ...result,
    _meta: { ...(result._meta as JsonObject | undefined), [CACHED_AT_META]: cachedAt.toISOString() },
    ...(age > WORTH_MENTIONING_MS ? { content: [...content, { type: 'text', text }] } : {}),
  }
}

function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 90) return minutes === 1 ? '1 minute' : `${minutes} minutes`
  const hours = Math.round(minutes / 60)
  return hours < 36 ? `${hours} hours` : `${Math.round(hours / 24)} days`
}
