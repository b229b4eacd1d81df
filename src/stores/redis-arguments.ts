import { type Entry, ownerOf } from '../core/entry.ts'
import { segmentsOf } from '../core/entry-value.ts'
import { ValueTooLarge } from '../core/errors.ts'
import type { Argument } from './redis-client.ts'
import { idOf } from './redis-keys.ts'
import type { ListFilter, PayloadChanges, Place } from './store.ts'

/** No process is called so: '' is what was let go. */
export const NO_OWNER = '-'

/** The fields that scripts expect first, in their order. */
export function fieldsOf(entry: Entry, record: string): Argument[] {
  const { refId, version, key = '', namespace, status, expiresAt, createdAt, toolName } = entry
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
    String(createdAt),
    toolName === undefined ? '' : exactly(toolName),
    String(status === 'complete' ? entry.valueBytes : 0),
    ownerOf(entry) ?? NO_OWNER,
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

/** Time and id of a place in the order of a cache; both empty for the beginning. */
export function placeArguments(cacheName: string, place: Place | undefined): [at: string, id: string] {
  if (!place) return ['', '']
  const first = `${cacheName}:`
  const { createdAt, refId } = place
  if (refId.startsWith(first)) return [String(createdAt), refId.slice(first.length)]
  // Of another cache: all of this one that have the same time lie before it, or after it.
  return [String(createdAt), refId < first ? '' : LAST_ID]
}

/** Beyond all ids, which are hexadecimal. */
const LAST_ID = '~'

/** What a place is answered as, after which the next step goes on. */
export type AnsweredPlace = [at: Buffer, id: Buffer] | null

export function afterAnswered(place: AnsweredPlace): [at: string, id: string] | undefined {
  return place ? [String(place[0]), String(place[1])] : undefined
}

/** What the ids of a cache look like whose references begin with `prefix`; nothing where none of them does. */
export function patternOf(cacheName: string, prefix: string): string | undefined {
  const first = `${cacheName}:`
  if (first.startsWith(prefix)) return '*'
  if (!prefix.startsWith(first)) return undefined
  return `${prefix.slice(first.length).replace(/[*?[\]\\^]/g, '\\$&')}*`
}
