import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { mapJson } from '../core/map-json.ts'

/** The pieces of base64 in a tool's result: what a model does not read as text. */
export function mediaIn(value: JsonValue): string[] {
  const found: string[] = []
  replaceMedia(value, base64 => {
    found.push(base64)
    return base64
  })
  return found
}

/** The value with each piece of base64 replaced. */
export function replaceMedia(value: JsonValue, replace: (base64: string) => string): JsonValue {
  return mapJson(value, part => {
    const key = isJsonObject(part) ? mediaKey(part) : undefined
    return key === undefined
      ? undefined
      : { ...(part as JsonObject), [key]: replace(String((part as JsonObject)[key])) }
  })
}

/** Image and audio blocks carry base64 in `data`, embedded resources in `blob`. */
function mediaKey(value: JsonObject): 'data' | 'blob' | undefined {
  if ((value.type === 'image' || value.type === 'audio') && typeof value.data === 'string') return 'data'
  if (typeof value.uri === 'string' && typeof value.blob === 'string') return 'blob'
  return undefined
}
