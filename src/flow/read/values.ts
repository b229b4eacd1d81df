import type { Clock } from '../../core/clock.ts'
import type { Entry } from '../../core/entry.ts'
import type { ValuedEntry } from '../../core/entry-value.ts'
import type { JsonValue } from '../../core/json.ts'
import { Kept } from '../../core/kept.ts'
import type { RefId } from '../../core/ref.ts'
import { paced } from '../../core/steps.ts'
import { weightOf } from '../../core/weight.ts'
import { Source } from '../../preview/preview.ts'
import type { Store } from '../../stores/store.ts'
import type { Projections, Shown, Used, Wrapping } from '../../values/projection.ts'
import type { SegmentReader } from '../../values/segments/reader.ts'
import type { OpenedValue } from './opened-value.ts'
import { readBoth } from './stored-value.ts'

/** What values are read with. */
interface ValueEngine {
  readonly store: Store
  readonly clock: Clock
  readonly projections: Projections
  readonly sources: SourceCache
}

/** Decoded values stay around while somebody pages through them: so many, and so much memory in all, as estimated. */
const LIMITS = { maxCount: 1_000, maxWeight: 128 * 1024 * 1024, idleMs: 60_000 }

/** For the moment between a settlement and the answer to whoever waited for it. */
const STORED_LIMITS = { maxCount: 100, maxWeight: 64 * 1024 * 1024, idleMs: 10_000 }

/** Each takes some megabytes at most. */
const OPENED_LIMITS = { maxCount: 16, maxWeight: 16, idleMs: 60_000 }

/** Something made of a value in segments, and of which one: what a task appends grows. */
interface Opening<T> {
  readonly of: string
  readonly value: Promise<T>
}

/** Of what is kept for a value however small it is. */
const OVERHEAD = 1_000

/** A value as it is, and as previews and pages show it: the same unless the entry names a projection. */
export interface Sources {
  readonly whole: Source
  readonly shown: Source
  /** What the projection says besides. */
  readonly projected?: Shown
  /** The whole value passes where what is shown of it fits. */
  readonly passes: boolean
  /** Their last rendering, as JSON: the same call again asks for the same. */
  last?: { readonly request: object; readonly rendered: Promise<string> }
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
  /** Values in segments: their index, and some segments. */
  readonly #readers: Kept<Opening<SegmentReader>>
  /** Their layouts, where they are large, and parts of them. */
  readonly #opened: Kept<Opening<OpenedValue>>

  constructor(clock: Clock) {
    this.#kept = new Kept(clock, LIMITS)
    this.#stored = new Kept(clock, STORED_LIMITS)
    this.#readers = new Kept(clock, OPENED_LIMITS)
    this.#opened = new Kept(clock, OPENED_LIMITS)
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

  /** A value in segments, opened by `open` if need be. What failed is tried again by the next who asks. */
  reader(entry: ValuedEntry, open: () => Promise<SegmentReader>): Promise<SegmentReader> {
    return opened(this.#readers, entry, open)
  }

  /** The same of what is shown of it. */
  opened(entry: ValuedEntry, open: () => Promise<OpenedValue>): Promise<OpenedValue> {
    return opened(this.#opened, entry, open)
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
    this.#readers.drop(refId)
    this.#opened.drop(refId)
    this.#loading.delete(refId)
  }

  clear(): void {
    this.#kept.clear()
    this.#stored.clear()
    this.#readers.clear()
    this.#opened.clear()
    this.#loading.clear()
  }

  sweep(): void {
    this.#kept.sweep()
    this.#stored.sweep()
    this.#readers.sweep()
    this.#opened.sweep()
  }
}

function opened<T>(kept: Kept<Opening<T>>, entry: ValuedEntry, open: () => Promise<T>): Promise<T> {
  const found = kept.get(entry.refId)
  const of = `${entry.segments?.id} ${entry.valueBytes}`
  if (found?.of === of) return found.value
  const value = open()
  const opening = { of, value }
  kept.put(entry, opening, 1)
  value.catch(() => {
    if (kept.get(entry.refId) === opening) kept.drop(entry.refId)
  })
  return value
}

/** What answers about an entry are made from. */
export function sourcesOf(engine: ValueEngine, entry: Entry): Promise<Sources> {
  const load = async () => {
    const { value, json } = await readBoth(engine, entry)
    const sources = await makeSources(engine, entry, new Source(value, json))
    // The text is kept, too.
    return { sources, weight: OVERHEAD + json.length + weightOf(json) }
  }
  // What a task has without a value grows, or goes when another attempt begins.
  if (entry.status !== 'complete') return load().then(({ sources }) => sources)
  return engine.sources.get(entry, load)
}

async function makeSources(engine: ValueEngine, entry: Entry, whole: Source): Promise<Sources> {
  const projected = await shownOf(engine, entry, whole.value)
  if (!projected) return { whole, shown: whole, passes: true }
  const shown = new Source(projected.value, undefined, projected.blocks)
  return { whole, shown, projected, passes: wrappingOf(engine, entry) !== undefined }
}

/**
 * Reading renews a sliding entry, once a tenth of its time has passed. Best effort: a lost race means that somebody else
 * did it, and a store that cannot be written must not keep a reader from a value that is there.
 */
export async function renew(engine: ValueEngine, entry: Entry): Promise<void> {
  const { slidingTtl, expiresAt } = entry
  if (slidingTtl === undefined || expiresAt === undefined) return
  const renewed = engine.clock.now() + slidingTtl
  if (renewed - expiresAt < slidingTtl / 10) return
  const changed = { ...entry, expiresAt: renewed, version: entry.version + 1 }
  await engine.store.update(changed, entry.version).catch(() => {})
}

/** What previews and pages show of an entry's value. Undefined: the value itself. */
export async function shownOf(
  engine: ValueEngine,
  entry: Entry,
  value: JsonValue,
): Promise<Shown | undefined> {
  const projection = projectionOf(engine, entry)
  if (!projection) return undefined
  return typeof projection === 'function'
    ? { value: projection(value, 'show') }
    : paced(projection.show(value))
}

/** What stands in another call's input for it. */
export async function usedOf(engine: ValueEngine, entry: Entry, value: JsonValue): Promise<Used> {
  const projection = projectionOf(engine, entry)
  if (!projection) return { value }
  return typeof projection === 'function' ? { value: projection(value, 'use') } : paced(projection.use(value))
}

/** The projection of a value that wraps what its reader is after, so that it passes where that fits. */
export function wrappingOf(engine: ValueEngine, entry: Entry): Wrapping | undefined {
  const projection = projectionOf(engine, entry)
  return typeof projection === 'object' ? projection : undefined
}

function projectionOf({ projections }: ValueEngine, { view }: Entry) {
  return view !== undefined && Object.hasOwn(projections, view) ? projections[view] : undefined
}
