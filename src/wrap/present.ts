import { withAge } from '../agent/age.ts'
import { REF_ID_META } from '../agent/present.ts'
import { type ToolResult, toToolResult } from '../agent/wire.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { CallResponse } from '../core/response.ts'

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
  const passed = response.isUnstored ? result : { ...result, _meta: withEntry(result._meta, response) }
  const cachedAt = response.status === 'complete' ? response.cachedAt : undefined
  return (cachedAt ? withAge(passed, cachedAt, Date.now()) : passed) as unknown as ToolResult
}

function withEntry(meta: JsonValue | undefined, response: CallResponse): JsonObject {
  const canRetry = response.status === 'complete' ? undefined : response.canRetry
  return {
    ...(meta as JsonObject | undefined),
    [REF_ID_META]: response.refId,
    ...(canRetry === undefined ? {} : { [CAN_RETRY_META]: canRetry }),
  }
}
