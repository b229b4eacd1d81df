import type { Entry } from '../core/entry.ts'
import { segmentsOf } from '../core/entry-value.ts'
import { ValueTooLarge } from '../core/errors.ts'
import type { Argument } from './redis-client.ts'
import { idOf } from './redis-keys.ts'
import type { ListFilter, PayloadChanges } from './store.ts'

/** The fields that scripts expect first, in their order. */
export function fieldsOf(entry: Entry, record: string): Argument[] {
  const { refId, version, key = '', namespace, status, expiresAt } = entry
  const expiry = expiresAt === undefined ? '' : String(expiresAt)
  const { id: valueId = '', count = 0 } = segmentsOf(entry) ?? {}
  return [
    idOf(refId),
    record,
    String(version),
    key,
    exactly(namespace),
    status,
    expiry,
    valueId,
    String(count),
  ]
}

/** Redis's own bound for one string. */
const MAX_PART_BYTES = 512 * 1024 * 1024

/** For each part to change: its name, what to do, and its bytes. */
export function partArguments(parts: PayloadChanges): Argument[] {
  return Object.entries(parts).flatMap(([part, bytes]): Argument[] => {
    return bytes ? [part, 'set', bytesArgument(bytes)] : [part, 'remove', '']
  })
}

/** @throws ValueTooLarge */
export function bytesArgument(bytes: Uint8Array): Buffer {
  if (bytes.length <= MAX_PART_BYTES) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  throw new ValueTooLarge(
    `${bytes.length} bytes can never fit into Redis, which holds ${MAX_PART_BYTES} (512 MB).`,
  )
}

/** As JSON, because half a surrogate pair would lose its identity on the way to UTF-8: a namespace is a boundary. */
export function exactly(text: string): string {
  return JSON.stringify(text)
}

/** The ids in flight have an index of their own: a sweep must not look at all that is settled. */
export function indexOf({ statuses }: ListFilter): 'tasks' | 'index' {
  const inFlight = statuses?.every(status => status === 'pending' || status === 'processing')
  return inFlight ? 'tasks' : 'index'
}

/** The id to go on after, or '' for the beginning; nothing when all of the cache lies before the cursor. */
export function firstCursor({ cacheName, after = '' }: ListFilter): string | undefined {
  const first = `${cacheName}:`
  if (after.startsWith(first)) return after.slice(first.length)
  return after < first ? '' : undefined
}
