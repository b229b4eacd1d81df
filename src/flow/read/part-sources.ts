import type { ValuedEntry } from '../../core/entry.ts'
import type { JsonValue } from '../../core/json.ts'
import { type Part, pointerOf } from '../../core/part.ts'
import { LargeValue } from '../../preview/large.ts'
import { Source } from '../../preview/preview.ts'
import { isMedia, mediaCharacters } from '../../values/media.ts'
import { takePart } from '../../values/pointer.ts'
import type { Engine } from '../engine.ts'
import { openLargeValue } from './large-values.ts'
import { type Sources, sourcesOf, usedOf } from './values.ts'

/** Parts of one value that are kept as long as the value is: somebody pages through them. */
const KEPT_PARTS = 4

const parts = new WeakMap<Sources, Map<string, Sources>>()

/**
 * What answers about a part of an entry's value are made from.
 * @throws InvalidArgument where there is no such part
 */
export async function partSources(engine: Engine, entry: ValuedEntry, part: Part): Promise<Sources> {
  const opened = await openLargeValue(engine, entry)
  const found = await opened?.part(part)
  if (found && !(found instanceof LargeValue)) return makeSources(found.value)
  const whole = await sourcesOf(engine, entry)
  const kept = parts.get(whole) ?? new Map<string, Sources>()
  parts.set(whole, kept)
  const key = part.kind === 'lines' ? `L${part.first}-L${part.last}` : pointerOf(part.steps)
  const known = kept.get(key)
  if (known) return known
  const made = makeSources(takePart(await usedOf(engine, entry, whole.whole.value), part))
  kept.set(key, made)
  if (kept.size > KEPT_PARTS) kept.delete(kept.keys().next().value as string)
  return made
}

/** Media are a result of one block, so that a client gets the image or the sound itself. */
function makeSources(part: JsonValue): Sources {
  if (!isMedia(part)) {
    const source = new Source(part)
    return { whole: source, shown: source, passes: true }
  }
  const source = new Source({ content: [part] })
  const projected = { value: part, isToolResult: true, mediaBytes: mediaCharacters([part]) } as const
  return { whole: source, shown: source, projected, passes: true }
}
