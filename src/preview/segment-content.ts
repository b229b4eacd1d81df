import { stringifyJson } from '../core/json-text.ts'
import { escapedLineEnds } from '../core/lines.ts'
import { pointerOf } from '../core/part.ts'
import { paced, type ReadingSteps } from '../core/steps.ts'
import { wholeToken } from '../core/text-cuts.ts'
import type { CountedTable } from '../values/counted-tables.ts'
import { describeText, type TextFacts } from '../values/describe-text.ts'
import { countDocumentTables } from '../values/segments/document-tables.ts'
import type { SegmentReader } from '../values/segments/reader.ts'
import { sampleOf } from '../values/segments/sample.ts'
import { type Container, jsonIn, LARGE_VALUE } from '../values/segments/segment-index.ts'
import type { DescribedBlock } from '../values/text-blocks.ts'
import { TextPieces } from '../values/text-pieces.ts'
import type { Content, Excerpt, ExcerptWish } from './content.ts'
import type { Items } from './items.ts'
import { sampleLines } from './line-sample.ts'
import { type Candidate, findMainMember } from './main-member.ts'
import { measureItems, measurePages, rulerFor, type Size, type SizeMode } from './measure.ts'
import { Memo } from './memo.ts'
import { shapesOf } from './shape.ts'
import { Shrinker } from './shrink.ts'
import { TextOutline } from './text-outline.ts'

/** A value in segments, of which only what is shown is read: all of the value, or one of its containers. */
export class SegmentContent extends Memo implements Content {
  readonly whole = undefined
  readonly items: Items
  readonly path: string
  readonly isReformatted: boolean
  /** As it is shown: a text that is JSON is that JSON. */
  readonly #shown: number

  constructor(
    private readonly reader: SegmentReader,
    private readonly root = 0,
  ) {
    super()
    const json = jsonIn(reader.index, root)
    this.isReformatted = json !== undefined
    this.#shown = json ?? root
    const main = findMainMember(candidate(reader, this.#shown), (object, length) =>
      heaviestOf(reader, object, length),
    )
    this.path = main?.path ?? ''
    this.items = itemsOf(reader, main?.of ?? this.#shown)
  }

  tables(): Promise<readonly CountedTable[]> {
    return this.remember('tables', async () => (await this.#facts()).tables)
  }

  async blocks(): Promise<readonly DescribedBlock[]> {
    return (await this.#facts()).blocks ?? []
  }

  excerpt(wish: ExcerptWish): Promise<Excerpt> {
    const { kind } = this.#container(this.#shown)
    return kind === 'text' || kind === 'string' ? this.#lines(wish) : this.#sample(wish)
  }

  /** Of what is stored: of a large value as if all of it were like its pages, so that no more is read. */
  async size(sizeMode: SizeMode): Promise<Size> {
    const all = itemsOf(this.reader, this.root)
    const length = all.end - all.start
    if (length <= LARGE_VALUE) {
      return this.remember(`size ${sizeMode}`, async () => measureItems(all, await rulerFor(sizeMode)))
    }
    const { size } = await measurePages(this, sizeMode)
    const { start, end } = this.items
    return { size: Math.round((size * length) / Math.max(1, end - start)), isEstimate: true }
  }

  async #sample({ manner, characters }: ExcerptWish): Promise<Excerpt> {
    const tables = await this.tables()
    const wanted = (path: string) => tables.find(table => table.path === path)?.shape.outliers ?? []
    const wish = { characters, fromStart: manner === 'truncate', wanted }
    const { value, partial } = await paced(sampleOf(this.reader, this.#shown, wish))
    const shrinker = new Shrinker(manner, shapesOf(value, tables), partial)
    return { value, length: stringifyJson(value).length, shrink: room => shrinker.shrink(value, room) }
  }

  async #lines({ manner, characters }: ExcerptWish): Promise<Excerpt> {
    const { kind, start, end, count } = this.#container(this.#shown)
    const order = manner === 'truncate' ? [] : (await this.#facts()).lines
    const text = itemsOf(this.reader, this.#shown)
    const length = kind === 'string' ? count : end - start
    const lines = await paced(sampleLines(text, order, length, characters))
    const outline = new TextOutline(lines, order.length > 0 ? () => order : undefined)
    return { value: lines.beginning, length: 2 * characters, shrink: room => outline.show(room), outline }
  }

  /** As they were found out when the value was written. Where they were not: once, from all of it. */
  #facts(): Promise<TextFacts> {
    const { reader } = this
    const { tables, lines, blocks, shown } = reader.index
    return this.remember('facts', async () => {
      const { kind } = this.#container(this.#shown)
      switch (kind) {
        case 'text':
        case 'string':
          if (kind === 'text' && lines) return { tables: tables ?? [], lines, ...(blocks ? { blocks } : {}) }
          return describeText(
            new TextPieces([(await paced(reader.valueOf(this.#shown))) as string]),
            kind === 'text' ? shown?.blocks : undefined,
          )
        default:
          return {
            tables: this.#counted() ?? (await paced(countDocumentTables(reader, this.#shown))),
            lines: [],
          }
      }
    })
  }

  /** The tables that the index tells of are those of all of the value; of a part, its own. */
  #counted(): readonly CountedTable[] | undefined {
    const { tables, shown } = this.reader.index
    if (this.root === (shown?.container ?? 0)) return tables
    const path = pathOf(this.reader, this.#shown)
    const own = tables?.find(table => table.path === path)
    return own && [{ name: 'items', path: '', shape: own.shape }]
  }

  #container(number: number): Container {
    return this.reader.index.containers[number] as Container
  }
}

/** Where a container stands in what is shown of the value. */
function pathOf({ index }: SegmentReader, container: number): string {
  const steps: (string | number)[] = []
  for (let at = container; at !== index.shown?.container; ) {
    const { within } = index.containers[at] as Container
    if (!within) break
    steps.unshift(within.key ?? within.part)
    at = within.container
  }
  return pointerOf(steps)
}

/** Whether a container stands in a text that is JSON. */
function isInText({ index }: SegmentReader, container: number): boolean {
  let top = container
  for (
    let { within } = index.containers[top] as Container;
    within;
    { within } = index.containers[top] as Container
  ) {
    top = within.container
  }
  return top === index.json
}

function candidate(reader: SegmentReader, number: number): Candidate<number> | undefined {
  const { kind, start, end, count, lines } = reader.index.containers[number] as Container
  if (kind === 'list') return { kind, of: number }
  if (kind === 'object') return { kind, of: number, length: end - start, members: count }
  return kind === 'string' && lines !== undefined
    ? { kind: 'text', of: number, characters: count }
    : undefined
}

/** The one member that takes more than a third: it is a container itself, since the object is large. */
function heaviestOf(reader: SegmentReader, object: number, length: number) {
  const lengthOf = (child: number) => {
    const { start, end } = reader.index.containers[child] as Container
    return end - start
  }
  const [heaviest, other] = reader
    .childrenOf(object)
    .filter(child => lengthOf(child) > Math.floor(length / 3))
  if (heaviest === undefined || other !== undefined) return undefined
  const { key = '' } = reader.index.containers[heaviest]?.within ?? {}
  return { key, length: lengthOf(heaviest), member: candidate(reader, heaviest) }
}

/** The items of a container: those of a string are its lines. */
function itemsOf(reader: SegmentReader, number: number): Items {
  const { kind, start, end, count, lines = 1 } = reader.index.containers[number] as Container
  const bracket = kind === 'text' ? 0 : 1
  const last = end - bracket
  const slice = (from: number, to: number) => reader.slice(from, Math.min(to, last))
  const about = { start: start + bracket, end: last, slice }
  if (kind === 'string') {
    const itemStart = (line: number) => lineStart(reader, number, line)
    return { ...about, kind: 'text', form: 'escaped', count: lines, itemStart }
  }
  const itemStart = (item: number) => reader.partStart(number, item)
  return { ...about, kind, form: isInText(reader, number) ? 'spaced' : 'plain', count, itemStart }
}

/** UTF-16 units to look at for the next line. */
const WINDOW = 32 * 1024

function* lineStart(reader: SegmentReader, string: number, line: number): ReadingSteps<number> {
  const { start, end, lines = 1, anchors } = reader.index.containers[string] as Container
  const last = end - 1
  if (line >= lines) return last
  let [at, position] = anchors.findLast(([anchored]) => anchored <= line) ?? [0, start + 1]
  for (let next = position; at < line && next < last; ) {
    const piece = yield* reader.slice(next, Math.min(next + WINDOW, last))
    const length = next + piece.length === last ? piece.length : wholeToken(piece, piece.length)
    yield length / 4
    const ends = escapedLineEnds(piece.slice(0, length), 0).slice(0, line - at)
    at += ends.length
    position = next + (ends.at(-1) ?? 0)
    next += length
  }
  return position
}
