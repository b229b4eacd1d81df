// The default import: see `codec.ts`.
import crypto from 'node:crypto'
import type { JsonValue } from './json.ts'
import { parseJson, stringifySorted } from './json-text.ts'

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
  return sha256(canonical([cacheName, toolName, namespace, scope, parseJson(input)]))
}

/** Longer inputs are not kept. */
const MAX_KEPT_LENGTH = 2_000
const MAX_KEPT = 1_000

/** Keys, and those that were made lately: the same call comes again, and to hash it takes longer than to find its key. */
export class Keys {
  readonly #made = new Map<string, string>()

  of(parts: KeyParts): string {
    if (parts.input.length > MAX_KEPT_LENGTH) return keyOf(parts)
    const { cacheName, toolName, namespace, scope, input } = parts
    const written = `${JSON.stringify([cacheName, toolName, namespace, scope])}\n${input}`
    const made = this.#made.get(written)
    if (made !== undefined) return made
    const key = keyOf(parts)
    if (this.#made.size === MAX_KEPT) this.#made.clear()
    this.#made.set(written, key)
    return key
  }
}

/** JSON with sorted keys, those that are integers too. Takes any depth. */
export function canonical(value: JsonValue): string {
  return stringifySorted(value)
}

/** In one step, where Node has that (20.12): a hash object costs more than the hash of a short text. */
function sha256(text: string): string {
  const { hash, createHash } = crypto as Partial<Pick<typeof crypto, 'hash'>> & typeof crypto
  return hash ? hash('sha256', text, 'hex') : createHash('sha256').update(text).digest('hex')
}
