import type { JsonObject, JsonValue } from '../core/json.ts'

/** Where a result that is passed on as it is says when it was made. */
export const CACHED_AT_META = 'mcp-refcache/cached_at'

/** A result that is younger than this says its age to the client's program alone. */
const WORTH_MENTIONING_MS = 60_000

/** Whether a model is told of the age too. */
export function isWorthMentioning(cachedAt: Date, now: number): boolean {
  return now - cachedAt.getTime() > WORTH_MENTIONING_MS
}

/** The result of an earlier call, with its age: for programs in the metadata, for models in a text at the end. */
export function withAge(result: JsonObject, cachedAt: Date, now: number): JsonObject {
  const age = now - cachedAt.getTime()
  const content: readonly JsonValue[] = Array.isArray(result.content) ? result.content : []
  const text = `(The result of an earlier call, ${ageInWords(age)} ago. The same call with _fresh: true runs anew.)`
  return {
    ...result,
    _meta: { ...(result._meta as JsonObject | undefined), [CACHED_AT_META]: cachedAt.toISOString() },
    ...(isWorthMentioning(cachedAt, now) ? { content: [...content, { type: 'text', text }] } : {}),
  }
}

/** Such as `5 minutes`. */
export function ageInWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 90) return minutes === 1 ? '1 minute' : `${minutes} minutes`
  const hours = Math.round(minutes / 60)
  return hours < 36 ? `${hours} hours` : `${Math.round(hours / 24)} days`
}
