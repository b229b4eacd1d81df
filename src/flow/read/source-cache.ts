import type { Clock } from '../../core/clock.ts'
import type { Entry } from '../../core/entry.ts'
import { Kept } from '../../core/kept.ts'
import type { RefId } from '../../core/ref.ts'
import type { Source } from '../../preview/preview.ts'
import type { Shown } from '../../values/projection.ts'

/** Decoded values stay around while somebody pages through them: so many, and so much memory in all, as estimated. */
const LIMITS = { maxCount: 1_000, maxWeight: 128 * 1024 * 1024, idleMs: 60_000 }

/** For the moment between a settlement and the answer to whoever waited for it. */
const STORED_LIMITS = { maxCount: 100, maxWeight: 64 * 1024 * 1024, idleMs: 10_000 }

/** A value as it is, and as previews and pages show it: the same unless the entry names a projection. */
export interface Sources {
  readonly whole: Source
  readonly shown: Source
  /** What the pages are of. */
  readonly paged: Source
  /** What the projection says besides. */
  readonly projected?: Shown
  /** The whole value passes where what is shown of it fits. */
  readonly passes: boolean
  /** Their last rendering, as JSON: the same call again asks for the same. */
  last?: { readonly request: string; readonly rendered: Promise<string> }
}

export interface Loaded {
  readonly sources: Sources
  /** The memory that they take, in bytes, as estimated. */
  readonly weight: number
}

/**
 * Decoded values, prepared for showing, by reference. A reference never changes its value, so this can be
 * stale in no way; entries are authorized before it is asked.
 */
export class SourceCache {
  readonly #kept: Kept<Sources>
  /** What this process has just stored, for the callers that wait for it. */
  readonly #stored: Kept<Uint8Array>
  readonly #loading = new Map<RefId, Promise<Sources>>()

  constructor(clock: Clock) {
    this.#kept = new Kept(clock, LIMITS)
    this.#stored = new Kept(clock, STORED_LIMITS)
  }

  /** How many values are kept. */
  get size(): number {
    return this.#kept.size
  }

  /** The sources of a value, made by `load` if need be; once, however many ask at the same time. */
  get(entry: Entry, load: () => Promise<Loaded>): Promise<Sources> {
    const { refId } = entry
    const found = this.#kept.get(refId)
    if (found) return Promise.resolve(found)
    const loading = this.#loading.get(refId) ?? this.#load(entry, load)
    this.#loading.set(refId, loading)
    return loading
  }

  /** The value is about to be stored, and somebody waits for it: nobody reads it back. */
  putStored(entry: Entry, bytes: Uint8Array): void {
    this.#stored.put({ ...entry, expiresAt: undefined }, bytes, bytes.length)
  }

  /** Once: from then on the value itself is kept. */
  takeStored(refId: RefId): Uint8Array | undefined {
    const bytes = this.#stored.get(refId)
    if (bytes) this.#stored.drop(refId)
    return bytes
  }

  async #load(entry: Entry, load: () => Promise<Loaded>): Promise<Sources> {
    const { refId } = entry
    try {
      const { sources, weight } = await load()
      // Deleted in the meantime: nobody will ask again.
      if (this.#loading.has(refId)) this.#kept.put(entry, sources, weight)
      return sources
    } finally {
      this.#loading.delete(refId)
    }
  }

  drop(refId: RefId): void {
    this.#kept.drop(refId)
    this.#stored.drop(refId)
    this.#loading.delete(refId)
  }

  clear(): void {
    this.#kept.clear()
    this.#stored.clear()
    this.#loading.clear()
  }

  sweep(): void {
    this.#kept.sweep()
    this.#stored.sweep()
  }
}
