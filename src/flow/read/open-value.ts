import type { ValuedEntry } from '../../core/entry-value.ts'
import type { JsonValue } from '../../core/json.ts'
import { fragmentOf, type Part } from '../../core/part.ts'
import { Source } from '../../preview/preview.ts'
import { SegmentContent } from '../../preview/segment-content.ts'
import { isMedia, mediaCharacters } from '../../values/media.ts'
import type { Used } from '../../values/projection.ts'
import type { SegmentReader } from '../../values/segments/reader.ts'
import { type Container, LARGE_VALUE, type ShownContainer } from '../../values/segments/segment-index.ts'
import type { Engine } from '../engine.ts'
import { OpenedValue } from './opened-value.ts'
import { locatePart, readLocated, shownContainer } from './part.ts'
import { openSegments } from './stored-value.ts'
import { type Sources, sourcesOf, usedOf } from './values.ts'

/** What answers about a value, or a part of one, are made from: sources in memory, or segments where it is large. */
export type Opened =
  | { readonly kind: 'memory'; readonly sources: Sources }
  | {
      readonly kind: 'segments'
      readonly content: SegmentContent
      /** What the projection says besides. */
      readonly facts: Omit<ShownContainer, 'container'>
      /** Reads all of it. */
      readonly whole: () => Promise<Sources>
    }

/**
 * Opens the value of an entry, or a part of it.
 * @throws InvalidArgument where there is no such part
 */
export async function openValue(engine: Engine, entry: ValuedEntry, part: Part | undefined): Promise<Opened> {
  const reader = await openSegments(engine, entry)
  const value = reader && (await engine.sources.opened(entry, async () => openReader(entry, reader)))
  if (part) return openPart(engine, entry, part, value)
  const whole = () => sourcesOf(engine, entry)
  if (!reader || !value?.content) return { kind: 'memory', sources: await whole() }
  const { container: _, ...facts } = reader.index.shown ?? { container: 0 }
  return { kind: 'segments', content: value.content, facts, whole }
}

/** Somebody may page through it: it is kept as long as the value is. */
async function openPart(
  engine: Engine,
  entry: ValuedEntry,
  part: Part,
  value: OpenedValue | undefined,
): Promise<Opened> {
  const key = `part ${fragmentOf(part)}`
  if (value) return value.remember(key, () => readPart(engine, entry, part))
  const { whole } = await sourcesOf(engine, entry)
  return whole.remember(key, () => readPart(engine, entry, part, () => usedOf(engine, entry, whole.value)))
}

async function readPart(
  engine: Engine,
  entry: ValuedEntry,
  part: Part,
  whole?: () => Promise<Used>,
): Promise<Opened> {
  const found = await locatePart(engine, entry, part, whole ? { whole } : {})
  const content = 'value' in found ? undefined : largeContent(found.reader, found.container)
  const read = async () => sourcesOfPart(await readLocated(found))
  return content
    ? { kind: 'segments', content, facts: {}, whole: read }
    : { kind: 'memory', sources: await read() }
}

function openReader(entry: ValuedEntry, reader: SegmentReader): OpenedValue {
  const container = shownContainer(entry, reader)
  return new OpenedValue(container === undefined ? undefined : largeContent(reader, container))
}

function largeContent(reader: SegmentReader, container: number): SegmentContent | undefined {
  const { start, end } = reader.index.containers[container] as Container
  return end - start > LARGE_VALUE ? new SegmentContent(reader, container) : undefined
}

/** Media are a result of one block, so that a client gets the image or the sound itself. */
function sourcesOfPart(part: JsonValue): Sources {
  if (!isMedia(part)) {
    const source = new Source(part)
    return { whole: source, shown: source, passes: true }
  }
  const source = new Source({ content: [part] })
  const projected = { value: part, isToolResult: true, mediaBytes: mediaCharacters([part]) } as const
  return { whole: source, shown: source, projected, passes: true }
}
