import { pointerOf } from '../core/part.ts'
import { paced } from '../core/steps.ts'
import { describeText, type TextFacts } from '../values/line-order.ts'
import { countDocumentTables } from '../values/segments/document-tables.ts'
import type { SegmentReader } from '../values/segments/reader.ts'
import { sampleOf } from '../values/segments/sample.ts'
import { sampleLines } from '../values/segments/sample-lines.ts'
import { type Container, jsonIn, type SegmentIndex } from '../values/segments/segment-index.ts'
import type { Items } from './items.ts'
import type { LargeContent } from './large.ts'

/** An object is about the one member that takes so much of it. */
const MAIN_SHARE = 2 / 3
const MAX_LEVELS = 6

/** A value in segments, for showing: all of it, or one of its containers. Undefined: it is one string or number. */
export function largeContent(reader: SegmentReader, container = 0): LargeContent | undefined {
  // A text that is JSON is shown as that.
  const root = jsonIn(reader.index, container) ?? container
  const main = mainContainer(reader, root)
  if (main === undefined) return undefined
  const isText = reader.index.containers[root]?.kind === 'text'
  let known: Promise<TextFacts> | undefined
  // They were found out of what is shown of the value, and are of no other part of it.
  const written = container === (reader.index.shown?.container ?? 0) ? reader.index : {}
  const facts = () => {
    known ??= isText ? textFacts(reader, root, written) : tableFacts(reader, root, written)
    return known
  }
  return {
    parts: partsOf(reader, main.number, root !== container),
    path: main.path,
    ...(root !== container ? { isReformatted: true } : {}),
    sample: wish => sampleOf(reader, root, wish),
    tables: async () => (await facts()).tables,
    ...(isText ? { lines: linesIn(reader, root, facts) } : {}),
  }
}

function linesIn(reader: SegmentReader, root: number, facts: () => Promise<TextFacts>) {
  return async (characters: number, fromStart: boolean) => {
    const order = fromStart ? [] : (await facts()).lines
    return { sample: await paced(sampleLines(reader, root, order, characters)), order }
  }
}

type WrittenFacts = Pick<SegmentIndex, 'tables' | 'lines'>

/** As they were counted when the value was written. */
async function tableFacts(reader: SegmentReader, root: number, { tables }: WrittenFacts): Promise<TextFacts> {
  return { tables: tables ?? (await paced(countDocumentTables(reader, root))), lines: [] }
}

/** What nobody found out when the text was written is found out once, from all of it. */
async function textFacts(
  reader: SegmentReader,
  root: number,
  { tables = [], lines }: WrittenFacts,
): Promise<TextFacts> {
  if (lines) return { tables, lines }
  const { start, end } = reader.index.containers[root] as Container
  return describeText(await paced(reader.slice(start, end)))
}

/** The list, object or text that pages are of. */
function mainContainer(reader: SegmentReader, root: number): { number: number; path: string } | undefined {
  const { containers } = reader.index
  const { kind: rootKind = 'string' } = containers[root] ?? {}
  if (rootKind === 'string') return undefined
  let number = root
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

function partsOf(reader: SegmentReader, number: number, isSpaced: boolean): Items {
  const { kind, start, end, count } = reader.index.containers[number] as Container
  const bracket = kind === 'text' ? 0 : 1
  return {
    kind: kind as Items['kind'],
    start: start + bracket,
    end: end - bracket,
    count,
    isSpaced,
    slice: (from, to) => reader.slice(from, Math.min(to, end - bracket)),
    itemStart: part => reader.partStart(number, part),
  }
}
