import type { Entry } from '../core/entry.ts'
import { segmentsOf } from '../core/entry-value.ts'
import { MissingSegments } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { type SegmentName, STAGED_FOR_MS } from './store.ts'

interface Value {
  readonly segments: Uint8Array[]
  bytes: number
  stagedAt: number
}

/** Segments in this process, by entry and value. */
export class MemorySegments {
  readonly #values = new Map<RefId, Map<string, Value>>()

  /** Says how many bytes more it holds by that. */
  stage({ refId, valueId, position }: SegmentName, bytes: Uint8Array, now: number): number {
    const values = this.#values.get(refId) ?? new Map<string, Value>()
    this.#values.set(refId, values)
    const value = values.get(valueId) ?? { segments: [], bytes: 0, stagedAt: now }
    values.set(valueId, value)
    const grown = bytes.length - (value.segments[position]?.length ?? 0)
    value.segments[position] = bytes
    value.bytes += grown
    value.stagedAt = now
    return grown
  }

  read({ refId, valueId, position }: SegmentName): Uint8Array | undefined {
    return this.#values.get(refId)?.get(valueId)?.segments[position]
  }

  bytesOf(refId: RefId): number {
    let bytes = 0
    for (const value of this.#values.get(refId)?.values() ?? []) bytes += value.bytes
    return bytes
  }

  /** @throws StoreUnavailable where a segment that the entry names is not there */
  check(entry: Entry): void {
    const named = segmentsOf(entry)
    if (!named) return
    const { segments = [] } = this.#values.get(entry.refId)?.get(named.id) ?? {}
    for (let position = 0; position < named.count; position++) {
      if (!segments[position]) throw new MissingSegments()
    }
  }

  /** Keeps the segments that the entry names alone; says how many bytes went. */
  settle(entry: Entry): number {
    const { refId } = entry
    const before = this.bytesOf(refId)
    const named = segmentsOf(entry)
    const value = named && this.#values.get(refId)?.get(named.id)
    if (named && value) this.#values.set(refId, new Map([[named.id, firstOf(value, named.count)]]))
    else this.#values.delete(refId)
    return before - this.bytesOf(refId)
  }

  /** All that is held for an entry goes; says how many bytes that was. */
  drop(refId: RefId): number {
    const bytes = this.bytesOf(refId)
    this.#values.delete(refId)
    return bytes
  }

  /** Entries that segments were staged for long ago, and that never came. */
  abandoned(now: number, isStored: (refId: RefId) => boolean): RefId[] {
    const isOld = ({ stagedAt }: Value) => stagedAt <= now - STAGED_FOR_MS
    return [...this.#values].flatMap(([refId, values]) =>
      !isStored(refId) && [...values.values()].every(isOld) ? [refId] : [],
    )
  }
}

function firstOf({ segments, stagedAt }: Value, count: number): Value {
  const kept = segments.slice(0, count)
  return { segments: kept, bytes: kept.reduce((sum, segment) => sum + segment.length, 0), stagedAt }
}
