import { pointerOf } from '../core/part.ts'
import { paced } from '../core/steps.ts'
import type { CountedTable } from '../values/counted-tables.ts'
import { countDocumentTables } from '../values/segments/document-tables.ts'
import type { SegmentReader } from '../values/segments/reader.ts'
import { sampleOf } from '../values/segments/sample.ts'
import type { Container } from '../values/segments/segment-index.ts'
import type { LargeContent } from './large.ts'
import type { LargeParts } from './large-pages.ts'

/** An object is about the one member that takes so much of it. */
const MAIN_SHARE = 2 / 3
const MAX_LEVELS = 6

/** A value in segments, for showing. Undefined: it is one string or number. */
export function largeContent(reader: SegmentReader): LargeContent | undefined {
  const main = mainContainer(reader)
  if (main === undefined) return undefined
  let counted: Promise<readonly CountedTable[]> | undefined
  return {
    parts: partsOf(reader, main.number),
    path: main.path,
    sample: wish => sampleOf(reader, 0, wish),
    tables() {
      counted ??= countedTables(reader)
      return counted
    },
  }
}

/** As they were counted when the value was written. */
async function countedTables(reader: SegmentReader): Promise<readonly CountedTable[]> {
  return reader.index.tables ?? paced(countDocumentTables(reader, 0))
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
    path += pointerOf([within?.key as string])
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
