import type { ValuedEntry } from '../../core/entry.ts'
import { LargeValue } from '../../preview/large.ts'
import { largeContent } from '../../preview/large-content.ts'
import { openSegments, type StoredValueEngine } from './stored-value.ts'

/** Up to so many bytes of JSON a value is read whole: that is a matter of milliseconds. */
const READ_WHOLE_BYTES = 1024 * 1024

interface LargeValueEngine extends StoredValueEngine {
  readonly settings: { readonly fullLimitBytes: number }
  readonly sources: StoredValueEngine['sources'] & {
    opened(entry: ValuedEntry, open: () => Promise<LargeValue | undefined>): Promise<LargeValue | undefined>
  }
}

/** A value that is shown without being read whole. Undefined: this one is. */
export async function openLargeValue(
  engine: LargeValueEngine,
  entry: ValuedEntry,
): Promise<LargeValue | undefined> {
  return isLarge(engine, entry) ? engine.sources.opened(entry, () => open(engine, entry)) : undefined
}

function isLarge({ settings }: LargeValueEngine, { segments, valueBytes, view }: ValuedEntry): boolean {
  const readWhole = Math.max(READ_WHOLE_BYTES, settings.fullLimitBytes)
  return segments !== undefined && view === undefined && valueBytes > readWhole
}

/** Undefined: it is one string or number. */
async function open(engine: LargeValueEngine, entry: ValuedEntry): Promise<LargeValue | undefined> {
  const reader = await openSegments(engine, entry)
  const content = reader && largeContent(reader)
  return content && new LargeValue(content)
}
