import { ExactNumber } from './exact-number.ts'

/**
 * What JSON can say. Every value and every input in the cache is one of these. Where another program's JSON is passed on
 * (`parseJson`), an `ExactNumber` may stand in the place of a number.
 */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }
/** An object of JSON. */
export type JsonObject = { [key: string]: JsonValue }

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  )
}
