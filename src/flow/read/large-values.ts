import type { ValuedEntry } from '../../core/entry.ts'
import { LargeValue } from '../../preview/large.ts'
import type { LargeParts } from '../../preview/large-pages.ts'
import type { PartRendering, RenderRequest } from '../../preview/preview.ts'
import type { SegmentReader } from '../../values/segments/reader.ts'
import type { Container } from '../../values/segments/segment-index.ts'
import { openSegments, type StoredValueEngine } from './stored-value.ts'

/** Up to so many bytes of JSON a value is read whole: that is a matter of milliseconds. */
const READ_WHOLE_BYTES = 1024 * 1024

/** An object is about the one member that takes so much of it. */
const MAIN_SHARE = 2 / 3
const MAX_LEVELS = 6

/** A value that is never held whole to show a page of it, and where in the entry's value it stands: a JSON Pointer. */
export interface OpenedValue {
  readonly value: LargeValue
  readonly path: string
}

interface LargeValueEngine extends StoredValueEngine {
  readonly settings: { readonly fullLimitBytes: number }
  readonly sources: StoredValueEngine['sources'] & {
    opened(entry: ValuedEntry, open: () => Promise<OpenedValue | undefined>): Promise<OpenedValue | undefined>
  }
}

/** The page that is asked for, read from the segments that it needs. Undefined: the value is to be read whole. */
export async function pageOfLargeValue(
  engine: LargeValueEngine,
  entry: ValuedEntry,
  request: RenderRequest,
): Promise<(PartRendering & { path?: string }) | undefined> {
  const { page, strategy } = request
  if (!isLarge(engine, entry) || (page === undefined && strategy !== 'paginate')) return undefined
  const opened = await engine.sources.opened(entry, () => open(engine, entry))
  const rendering = await opened?.value.page({ ...request, page: page ?? 1 })
  return rendering && { ...rendering, ...(opened?.path ? { path: opened.path } : {}) }
}

function isLarge({ settings }: LargeValueEngine, { segments, valueBytes, view }: ValuedEntry): boolean {
  const readWhole = Math.max(READ_WHOLE_BYTES, settings.fullLimitBytes)
  return segments !== undefined && view === undefined && valueBytes > readWhole
}

/** Undefined: it is one string or number. */
async function open(engine: LargeValueEngine, entry: ValuedEntry): Promise<OpenedValue | undefined> {
  const reader = await openSegments(engine, entry)
  const main = reader && mainContainer(reader)
  if (!reader || main === undefined) return undefined
  return { value: new LargeValue(partsOf(reader, main.number)), path: main.path }
}

/** The list, object or text that pages are of. */
function mainContainer(reader: SegmentReader): { number: number; path: string } | undefined {
  const { containers } = reader.index
  if (containers.length === 0) return undefined
  let number = 0
  let path = ''
  for (let level = 0; level < MAX_LEVELS; level++) {
    const { kind, start, end } = containers[number] as Container
    if (kind !== 'object') break
    const main = reader.childrenOf(number).find(child => {
      const inner = containers[child] as Container
      return inner.end - inner.start >= MAIN_SHARE * (end - start)
    })
    const { kind: mainKind, within } = containers[main ?? -1] ?? {}
    if (main === undefined || mainKind === 'string') break
    number = main
    path += `/${within?.key?.replaceAll('~', '~0').replaceAll('/', '~1')}`
  }
  return { number, path }
}

function partsOf(reader: SegmentReader, number: number): LargeParts {
  const { kind, start, end, count } = reader.index.containers[number] as Container
  const bracket = kind === 'text' ? 0 : 1
  return {
    kind: kind as LargeParts['kind'],
    start: start + bracket,
    end: end - bracket,
    count,
    slice: (from, to) => reader.slice(from, Math.min(to, end - bracket)),
    partStart: part => reader.partStart(number, part),
  }
}
