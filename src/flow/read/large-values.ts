import type { ValuedEntry } from '../../core/entry.ts'
import type { JsonValue } from '../../core/json.ts'
import type { Part } from '../../core/part.ts'
import { paced } from '../../core/steps.ts'
import { LargeValue } from '../../preview/large.ts'
import { largeContent } from '../../preview/large-content.ts'
import { findPart } from '../../values/segments/find-part.ts'
import type { SegmentReader } from '../../values/segments/reader.ts'
import type { Container, ShownContainer } from '../../values/segments/segment-index.ts'
import { openSegments, type StoredValueEngine } from './stored-value.ts'

/** Up to so many bytes of JSON a value is read whole: that is a matter of milliseconds. */
const READ_WHOLE_BYTES = 1024 * 1024

/** A large value, and what its projection says besides. */
export interface OpenedValue {
  readonly value: LargeValue
  readonly besides: Omit<ShownContainer, 'container'>
  /** A part of it: too large to be read whole as well, or read. Undefined: only the whole value tells. */
  part(part: Part): Promise<LargeValue | { readonly value: JsonValue } | undefined>
}

interface LargeValueEngine extends StoredValueEngine {
  readonly settings: { readonly fullLimitBytes: number }
  readonly sources: StoredValueEngine['sources'] & {
    opened(entry: ValuedEntry, open: () => Promise<OpenedValue | undefined>): Promise<OpenedValue | undefined>
  }
}

/** A value that is shown without being read whole. Undefined: this one is. */
export async function openLargeValue(
  engine: LargeValueEngine,
  entry: ValuedEntry,
): Promise<OpenedValue | undefined> {
  return isLarge(engine, entry) ? engine.sources.opened(entry, () => open(engine, entry)) : undefined
}

function isLarge({ settings }: LargeValueEngine, { segments, valueBytes }: ValuedEntry): boolean {
  const readWhole = Math.max(READ_WHOLE_BYTES, settings.fullLimitBytes)
  return segments !== undefined && valueBytes > readWhole
}

/** Undefined: it is one string or number, or what is shown of it has to be put together. */
async function open(engine: LargeValueEngine, entry: ValuedEntry): Promise<OpenedValue | undefined> {
  const reader = await openSegments(engine, entry)
  const { container, ...besides } = reader?.index.shown ?? { container: 0 }
  if (!reader || (entry.view !== undefined && !reader.index.shown)) return undefined
  const content = largeContent(reader, container)
  const part = (asked: Part) => openPart(reader, container, asked)
  return content && { value: new LargeValue(content), besides, part }
}

async function openPart(reader: SegmentReader, root: number, part: Part) {
  const found = await paced(findPart(reader, root, part))
  if (!found || 'value' in found) return found
  const { start, end } = reader.index.containers[found.container] as Container
  const content = end - start > READ_WHOLE_BYTES ? largeContent(reader, found.container) : undefined
  return content ? new LargeValue(content) : { value: await paced(reader.valueOf(found.container)) }
}
