import { createHash } from 'node:crypto'
import { isJsonObject, type JsonValue } from './json.ts'
import { parseJson, stringifyJson } from './json-text.ts'

/** What makes two calls the same call. */
export interface KeyParts {
  cacheName: string
  toolName: string
  namespace: string
  /** Whatever tells who may see the result: callers for whom that differs share none. */
  scope: JsonValue
  /** JSON text of the input, as `serializeInput` made it. */
  input: string
}

/**
 * The deterministic fingerprint of a call: SHA-256 of its canonical form. The order of an object's keys has no
 * meaning, that of a list has; `undefined` properties were dropped and −0 became 0 on the way to JSON.
 */
export function keyOf(parts: KeyParts): string {
  const { cacheName, toolName, namespace, scope, input } = parts
  const text = canonical([cacheName, toolName, namespace, scope, parseJson(input)])
  return createHash('sha256').update(text).digest('hex')
}

/** JSON with sorted keys, those that are integers too. Takes any depth. */
export function canonical(value: JsonValue): string {
  const waiting: Array<{ text: string } | { value: JsonValue }> = [{ value }]
  let json = ''
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if ('text' in next) json += next.text
    else if (Array.isArray(next.value)) {
      json += '['
      waiting.push({ text: ']' })
      for (let at = next.value.length - 1; at >= 0; at--) {
        waiting.push({ value: next.value[at] as JsonValue }, { text: at > 0 ? ',' : '' })
      }
    } else if (isJsonObject(next.value)) {
      json += '{'
      waiting.push({ text: '}' })
      const keys = Object.keys(next.value).sort()
      for (let at = keys.length - 1; at >= 0; at--) {
        const key = keys[at] as string
        const lead = `${at > 0 ? ',' : ''}${JSON.stringify(key)}:`
        waiting.push({ value: next.value[key] as JsonValue }, { text: lead })
      }
    } else json += stringifyJson(next.value)
  }
  return json
}
