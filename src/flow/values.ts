import { decode, encode } from '../core/codec.ts'
import type { Entry } from '../core/entry.ts'
import { NotFound, ValueTooLarge } from '../core/errors.ts'
import type { JsonValue } from '../core/json.ts'
import type { RefId } from '../core/ref.ts'
import { serializeValue } from '../core/serialize.ts'
import { Source } from '../preview/preview.ts'
import type { Engine } from './engine.ts'

/** Decoded values stay around while somebody pages through them, up to this much JSON text in all. */
const MAX_CACHED_CHARACTERS = 64 * 1024 * 1024

/** A value as it is, and as previews and pages show it: the same unless the entry names a view. */
export interface Sources {
  readonly whole: Source
  readonly shown: Source
  /** The last view that was made of them, as JSON: the same call again asks for the same view. */
  last?: { readonly request: string; readonly view: string }
}

/**
 * Decoded values, prepared for showing, by reference. A reference never changes its value, so this can be
 * stale in no way; entries are authorized before it is asked.
 */
export class SourceCache {
  readonly #sources = new Map<RefId, { sources: Sources; characters: number }>()
  #characters = 0

  get(refId: RefId): Sources | undefined {
    const found = this.#sources.get(refId)
    if (!found) return undefined
    this.#sources.delete(refId)
    this.#sources.set(refId, found)
    return found.sources
  }

  put(refId: RefId, sources: Sources, characters: number): void {
    if (characters > MAX_CACHED_CHARACTERS) return
    this.drop(refId)
    this.#sources.set(refId, { sources, characters })
    this.#characters += characters
    for (const oldest of this.#sources.keys()) {
      if (this.#characters <= MAX_CACHED_CHARACTERS) break
      this.drop(oldest)
    }
  }

  drop(refId: RefId): void {
    this.#characters -= this.#sources.get(refId)?.characters ?? 0
    this.#sources.delete(refId)
  }
}

/** A handler's result as bytes for the store. */
export async function encodeValue(engine: Engine, value: unknown): Promise<Uint8Array> {
  const json = serializeValue(value)
  const { maxValueBytes } = engine.settings
  if (json.length > maxValueBytes || Buffer.byteLength(json) > maxValueBytes) {
    throw new ValueTooLarge(
      `The value has more than ${maxValueBytes} bytes of JSON, the most this cache stores. Return less, or raise maxValueBytes.`,
    )
  }
  return encode(json, { compress: engine.store.capabilities.durable })
}

/** The JSON text of an entry's value. */
export async function readJson(engine: Engine, entry: Entry): Promise<string> {
  const bytes = await engine.store.read(entry.refId, 'value')
  // The entry was there a moment ago: it was deleted or expired in between.
  if (!bytes) throw new NotFound()
  return decode(bytes)
}

/** What answers about an entry are made from. */
export async function sourcesOf(engine: Engine, entry: Entry): Promise<Sources> {
  const cached = engine.sources.get(entry.refId)
  if (cached) return cached
  const json = await readJson(engine, entry)
  const value = JSON.parse(json) as JsonValue
  const whole = new Source(value, json)
  const project = entry.view === undefined ? undefined : engine.views[entry.view]
  const sources: Sources = { whole, shown: project ? new Source(project(value)) : whole }
  engine.sources.put(entry.refId, sources, json.length)
  return sources
}
