import type { JsonValue } from '../core/json.ts'

/** The length of the value's compact JSON up to `limit`; beyond it some number above `limit`, found early. */
export function jsonLength(value: JsonValue, limit: number): number {
  if (typeof value === 'string') {
    return value.length + 2 > limit ? value.length + 2 : JSON.stringify(value).length
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).length
  let length = 2
  if (Array.isArray(value)) {
    for (const item of value) {
      if (length > limit) return length
      length += jsonLength(item, limit - length) + 1
    }
    return value.length > 0 ? length - 1 : length
  }
  let separator = 0
  for (const key in value) {
    if (length > limit) return length
    length += separator + JSON.stringify(key).length + 1
    length += jsonLength(value[key]!, limit - length)
    separator = 1
  }
  return length
}
