import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { ExactNumber } from './json-text.ts'

/** The value with nothing but ordinary numbers in it, for whoever computes with them. */
export function withPlainNumbers(value: JsonValue): JsonValue {
  return mapJson(value, part => (part instanceof ExactNumber ? part.valueOf() : undefined))
}

/**
 * A copy of the value, with something else in the place of each part for which `replace` gives it: that is not looked into.
 * Takes any depth.
 */
export function mapJson(value: JsonValue, replace: (part: JsonValue) => JsonValue | undefined): JsonValue {
  const root = [value]
  const open: Array<JsonValue[] | JsonObject> = [root]
  const copyOf = (part: JsonValue): JsonValue => {
    const replaced = replace(part)
    if (replaced !== undefined) return replaced
    const copy = Array.isArray(part) ? [...part] : isJsonObject(part) ? { ...part } : undefined
    if (copy) open.push(copy)
    return copy ?? part
  }
  for (let next = open.pop(); next; next = open.pop()) {
    if (Array.isArray(next)) for (const [at, part] of next.entries()) next[at] = copyOf(part)
    // A member called `__proto__` is the copy's own by now, and stays a member.
    else for (const name of Object.keys(next)) next[name] = copyOf(next[name] as JsonValue)
  }
  return root[0] as JsonValue
}
