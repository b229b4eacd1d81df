import { isJsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'

/** The length of the value's compact JSON up to `limit`; beyond it some number above `limit`, found early. Takes any depth. */
export function jsonLength(value: JsonValue, limit: number): number {
  const waiting: JsonValue[] = [value]
  let length = 0
  while (waiting.length > 0 && length <= limit) {
    const part = waiting.pop() as JsonValue
    if (Array.isArray(part)) {
      length += Math.max(2, part.length + 1)
      if (length <= limit) for (const item of part) waiting.push(item)
    } else if (isJsonObject(part)) {
      let members = 1
      length += 1
      for (const key in part) {
        if (length > limit) return length
        length += JSON.stringify(key).length + 2
        waiting.push(part[key]!)
        members = 0
      }
      length += members
    } else if (typeof part === 'string' && length + part.length + 2 > limit) length += part.length + 2
    else length += stringifyJson(part).length
  }
  return length
}
