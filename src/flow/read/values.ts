import { decode, parseStored } from '../../core/codec.ts'
import type { Entry } from '../../core/entry.ts'
import { NotFound, UnreadableValue } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { Source } from '../../preview/preview.ts'
import type { Shown, Used, Wrapping } from '../../values/projection.ts'
import { sizeOf } from '../call/input-cost.ts'
import type { Engine } from '../engine.ts'
import type { Sources } from './source-cache.ts'

/**
 * The JSON text of an entry's value.
 * @throws UnreadableValue; NotFound when the entry was deleted or expired a moment ago
 */
export async function readJson(engine: Engine, entry: Entry): Promise<string> {
  const bytes = engine.sources.takeStored(entry.refId) ?? (await engine.store.read(entry.refId, 'value'))
  if (!bytes) throw (await engine.store.get(entry.refId)) ? new UnreadableValue('it is gone') : new NotFound()
  const json = await decode(bytes)
  // A shorter number is a number, too.
  const whole = entry.status !== 'complete' || Buffer.byteLength(json) === entry.valueBytes
  if (!whole) throw new UnreadableValue('a part of it is gone')
  return json
}

/** Of what is kept for a value however small it is. */
const OVERHEAD = 1_000

/** What answers about an entry are made from. */
export function sourcesOf(engine: Engine, entry: Entry): Promise<Sources> {
  const load = async () => {
    const json = await readJson(engine, entry)
    const value = parseStored(json)
    const sources = makeSources(engine, entry, new Source(value, json))
    // The text is kept, too.
    return { sources, weight: OVERHEAD + json.length + sizeOf(json).weight }
  }
  // What a failed attempt left behind goes when another one begins.
  if (entry.status === 'failed') return load().then(({ sources }) => sources)
  return engine.sources.get(entry, load)
}

function makeSources(engine: Engine, entry: Entry, whole: Source): Sources {
  const projected = shownOf(engine, entry, whole.value)
  if (!projected) return { whole, shown: whole, paged: whole, passes: true }
  const shown = new Source(projected.value)
  const paged = projected.list ? new Source(projected.list.items) : shown
  return { whole, shown, paged, projected, passes: wrappingOf(engine, entry) !== undefined }
}

/**
 * Reading renews a sliding entry, once a tenth of its time has passed. Best effort: a lost race means that somebody else
 * did it, and a store that cannot be written must not keep a reader from a value that is there.
 */
export async function renew(engine: Engine, entry: Entry): Promise<void> {
  const { slidingTtl, expiresAt } = entry
  if (slidingTtl === undefined || expiresAt === undefined) return
  const renewed = engine.clock.now() + slidingTtl
  if (renewed - expiresAt < slidingTtl / 10) return
  const changed = { ...entry, expiresAt: renewed, version: entry.version + 1 }
  await engine.store.update(changed, entry.version).catch(() => {})
}

/** What previews and pages show of an entry's value. Undefined: the value itself. */
export function shownOf(engine: Engine, entry: Entry, value: JsonValue): Shown | undefined {
  const projection = projectionOf(engine, entry)
  if (!projection) return undefined
  return typeof projection === 'function' ? { value: projection(value, 'show') } : projection.show(value)
}

/** What stands in another call's input for it. */
export function usedOf(engine: Engine, entry: Entry, value: JsonValue): Used {
  const projection = projectionOf(engine, entry)
  if (!projection) return { value }
  return typeof projection === 'function' ? { value: projection(value, 'use') } : projection.use(value)
}

/** The projection of a value that wraps what its reader is after, so that it passes where that fits. */
export function wrappingOf(engine: Engine, entry: Entry): Wrapping | undefined {
  const projection = projectionOf(engine, entry)
  return typeof projection === 'object' ? projection : undefined
}

function projectionOf({ projections }: Engine, { view }: Entry) {
  return view !== undefined && Object.hasOwn(projections, view) ? projections[view] : undefined
}
