import { createHash } from 'node:crypto'
import { isJsonObject, type JsonValue } from './json.ts'

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
  const text = canonical([cacheName, toolName, namespace, scope, JSON.parse(input)])
  return createHash('sha256').update(text).digest('hex')
}

/** JSON with sorted keys. Input is plain JSON of bounded depth, so recursion is safe. */
export function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.keys(value)
    .sort()
    .map(key => `${JSON.stringify(key)}:${canonical(value[key] as JsonValue)}`)
  return `{${members.join(',')}}`
}
