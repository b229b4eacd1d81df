import { type ToolResult, toToolResult } from '../agent/wire.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { CallResponse } from '../core/response.ts'
import { withAge } from './age.ts'
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
