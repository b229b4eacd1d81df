import type { Actor } from '../access/actor.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { RefId } from '../core/ref.ts'
import type { RefCache } from '../ref-cache.ts'
import { payloadOf } from './call-result.ts'

/** A result with more JSON than this is not handed out unasked, however little of it is text. */
const MAX_BYTES = 1024 * 1024

/** A finished answer that shows only a part, by the cache's count. */
export interface Part {
  refId: RefId
  preview?: JsonValue | undefined
  originalSize?: number | undefined
}

/**
 * The whole result, where the part shows all that a model reads of it: base64 is not read as text, and structured
 * content that is given as text, too, is read once.
 */
export async function wholeResult(
  cache: RefCache,
  part: Part,
  actor: Actor,
): Promise<JsonObject | undefined> {
  const { refId, preview, originalSize = 0 } = part
  // A unit of size is at least one byte.
  if (preview === undefined || originalSize > MAX_BYTES) return undefined
  const value = await cache.resolve(refId, { actor })
  if (!isJsonObject(value) || Buffer.byteLength(stringifyJson(value)) > MAX_BYTES) return undefined
  return stringifyJson(payloadOf(value)) === stringifyJson(preview) ? value : undefined
}
