import type { Entry } from '../core/entry.ts'
import { ExactNumber } from '../core/exact-number.ts'
import { PAYLOADS, type Payload, type PayloadChanges } from './store.ts'

/** What is stored under a reference. */
export interface Slot {
  entry: Entry
  parts: { readonly [P in Payload]?: Uint8Array }
  /** Of the parts. */
  bytes: number
}

/** What is to be stored of an entry. */
export function slotOf(given: Entry, changes: PayloadChanges | undefined, before: Slot | undefined): Slot {
  const parts = changes ? merged(before?.parts, changes) : (before?.parts ?? {})
  const bytes = PAYLOADS.reduce((sum, part) => sum + (parts[part]?.length ?? 0), 0)
  return { entry: frozenCopy(given), parts, bytes }
}

function merged(before: Slot['parts'] = {}, changes: PayloadChanges): Slot['parts'] {
  const parts: { -readonly [P in Payload]?: Uint8Array } = { ...before }
  for (const part of PAYLOADS) {
    if (!(part in changes)) continue
    const bytes = changes[part]
    if (bytes) parts[part] = new Uint8Array(bytes)
    else delete parts[part]
  }
  return parts
}

/** Most lists of an entry are empty. */
const NONE: readonly unknown[] = Object.freeze([])

/**
 * Copied once when it comes in, frozen so that it need not be copied each time it goes out. As JSON has it.
 */
function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  if (Array.isArray(value)) return (value.length === 0 ? NONE : Object.freeze(value.map(frozenCopy))) as T
  // By entries, so that a member called `__proto__` stays a member.
  const members: Array<[string, unknown]> = []
  for (const [name, inner] of Object.entries(value)) {
    if (inner !== undefined) members.push([name, frozenCopy(inner)])
  }
  return Object.freeze(Object.fromEntries(members)) as T
}
