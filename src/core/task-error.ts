import type { TaskError } from './entry.ts'
import { errorText } from './error-text.ts'
import { ProtocolFailure, publicMessageOf, RefCacheError, type RpcError, StoreUnavailable } from './errors.ts'
import type { JsonValue } from './json.ts'

const MAX_DATA_BYTES = 8 * 1024
const MAX_DATA_DEPTH = 100

/** What of an error is kept: its code and message, never its stack. */
export function toTaskError(error: unknown): TaskError {
  if (error instanceof StoreUnavailable) return { code: error.code, message: publicMessageOf(error) }
  return {
    code: error instanceof RefCacheError ? error.code : 'task_failed',
    message: errorText(error),
    ...(error instanceof ProtocolFailure ? { rpc: bounded(error.rpc) } : {}),
  }
}

/** Errors lie in the entry, which every poll reads: data that is too large for that goes, the rest stays. */
function bounded({ code, data }: RpcError): RpcError {
  return data === undefined || !isSmall(data) ? { code } : { code, data }
}

function isSmall(data: JsonValue): boolean {
  try {
    const json = JSON.stringify(data)
    return Buffer.byteLength(json) <= MAX_DATA_BYTES && !isDeep(JSON.parse(json))
  } catch {
    // What somebody threw need not be JSON, whatever its type says.
    return false
  }
}

/** Stores copy entries as a whole, with the engine's stack. */
function isDeep(data: JsonValue): boolean {
  let level: unknown[] = [data]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DATA_DEPTH) return true
    level = level.flatMap(part => (typeof part === 'object' && part !== null ? Object.values(part) : []))
  }
  return false
}
