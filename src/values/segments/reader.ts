import { UnreadableValue } from '../../core/errors.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { partEnds } from '../../core/json-parts.ts'
import { parseJson, setMember } from '../../core/json-text.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import { type ReadingSteps, waitFor } from '../../core/steps.ts'
import { wholeToken } from '../../core/text-cuts.ts'
import { fillEnvelope } from './envelope.ts'
import { type Container, type SegmentIndex, segmentStarts, storedEnd } from './segment-index.ts'

/** Segments that stay with a reader: a page stands in one or two. */
const KEPT_SEGMENTS = 4

/**
 * Some parts of a container that stand side by side: the text of items or members with the commas between them, or of lines; or one
 * part that is a container of its own. The first of them counts from 0.
 */
export type Run =
  | { readonly first: number; readonly count: number; readonly text: string }
  | { readonly first: number; readonly count: number; readonly child: number }

interface KeptSegment {
  readonly number: number
  readonly text: Promise<string>
}

interface Layout {
  readonly stops: ReadonlyArray<readonly [part: number, position: number]>
  /** Containers within this one, by the part that they are. */
  readonly children: ReadonlyMap<number, number>
}

/** Reads a value in segments; of each question, only the segments that it needs. Positions are those of `SegmentIndex`. */
export class SegmentReader {
  readonly #starts: readonly number[]
  /**
   * The least recently used first. No `Map`: those chain the tables that they outgrow, and what stood in one of them is alive to V8
   * until it collects all garbage, so that it copies each segment that was read.
   */
  readonly #kept: KeptSegment[] = []
  readonly #children = new Map<number, number[]>()
  readonly #layouts = new Map<number, Layout>()

  /**
   * @param load gives the text of a segment
   * @param loadUtf8 gives it as it is stored, where somebody passes it on
   */
  constructor(
    readonly index: SegmentIndex,
    private readonly load: (segment: number) => Promise<string>,
    readonly loadUtf8?: (segment: number) => Promise<Uint8Array>,
  ) {
    this.#starts = segmentStarts(index)
    for (const [number, { within }] of index.containers.entries()) {
      if (!within) continue
      const siblings = this.#children.get(within.container)
      if (siblings) siblings.push(number)
      else this.#children.set(within.container, [number])
    }
  }

  get length(): number {
    return this.index.length
  }

  /** The containers in the index that stand in another one, in their order. */
  childrenOf(container: number): readonly number[] {
    return this.#children.get(container) ?? []
  }

  /** Where the segment ends that a position lies in. */
  segmentEnd(position: number): number {
    return this.#starts[this.#segmentAt(position) + 1] ?? this.length
  }

  *slice(start: number, end: number): ReadingSteps<string> {
    let text = ''
    for (let number = this.#segmentAt(start); number < this.#starts.length; number++) {
      const segmentStart = this.#starts[number] as number
      if (segmentStart >= end) break
      const segment = yield* this.#segment(number)
      text += segment.slice(Math.max(0, start - segmentStart), end - segmentStart)
    }
    return text
  }

  /** Where a part of a container begins: an item, a member with its key, a line. `count` stands for the end. */
  *partStart(container: number, part: number): ReadingSteps<number> {
    const { kind, start, end, count, anchors } = this.#container(container)
    const isText = kind === 'text'
    if (part >= count) return isText ? end : end - 1
    let [at, position] = lastUpTo(anchors, part) ?? [0, isText ? start : start + 1]
    for (let length = WINDOW; at < part; length *= 2) {
      const window = yield* this.slice(position, Math.min(position + length, end))
      yield window.length / 4
      const ends = isText ? lineEnds(window, part - at) : partEnds(window, 0, part - at)
      if (ends.length === 0 && position + length >= end) throw new UnreadableValue('its index is damaged')
      if (ends.length === 0) continue
      at += ends.length
      position += (ends.at(-1) as number) + 1
      length = WINDOW
    }
    return position
  }

  /** Where parts of a container begin, a segment or a larger part from each other: the first one, and last its end. */
  stopsOf(container: number): ReadonlyArray<readonly [part: number, position: number]> {
    return this.#layoutOf(container).stops
  }

  /** How many runs a container is read in. */
  runCount(container: number): number {
    return this.stopsOf(container).length - 1
  }

  /** One of them, from 0: together they are all of its parts, in their order. */
  *run(container: number, number: number): ReadingSteps<Run> {
    const { stops, children } = this.#layoutOf(container)
    const [first, start] = stops[number] as readonly [number, number]
    const [next, end] = stops[number + 1] as readonly [number, number]
    const count = next - first
    const child = children.get(first)
    if (child !== undefined) return { first, count, child }
    const text = yield* this.slice(start, end)
    yield text.length / 2
    const isText = this.#container(container).kind === 'text'
    const isLast = number + 2 === stops.length
    return { first, count, text: isText || isLast ? text : text.slice(0, text.lastIndexOf(',')) }
  }

  /** The parts of a run of a list or an object; what is large in it is read whole. */
  *partsOf(container: number, run: Run): ReadingSteps<JsonValue[] | JsonObject> {
    const isList = this.#container(container).kind === 'list'
    if ('text' in run)
      return parseJson(isList ? `[${run.text}]` : `{${run.text}}`) as JsonValue[] | JsonObject
    const value = yield* this.valueOf(run.child)
    return isList ? [value] : Object.fromEntries([[this.keyOf(run.child), value]])
  }

  /** The key of a container that is a member of an object. */
  keyOf(container: number): string {
    return this.#container(container).within?.key ?? ''
  }

  #layoutOf(container: number): Layout {
    const known = this.#layouts.get(container)
    if (known) return known
    const { kind, start, end, count, anchors } = this.#container(container)
    const bracket = kind === 'text' ? 0 : 1
    const within = anchors.filter(([part]) => part > 0 && part < count)
    const children = new Map<number, number>()
    for (const child of this.childrenOf(container)) {
      children.set(this.#container(child).within?.part as number, child)
    }
    const layout: Layout = { stops: [[0, start + bracket], ...within, [count, end - bracket]], children }
    this.#layouts.set(container, layout)
    return layout
  }

  /** The text of some parts of a container, with what stands between them. */
  *parts(container: number, first: number, count: number): ReadingSteps<string> {
    const { kind, end, count: all } = this.#container(container)
    const start = yield* this.partStart(container, first)
    const after = yield* this.partStart(container, Math.min(first + count, all))
    const text = yield* this.slice(start, after)
    return kind === 'text' || after === end - 1 ? text : text.slice(0, text.lastIndexOf(','))
  }

  /** The value as it was stored, put together from all segments. */
  *value(): ReadingSteps<JsonValue> {
    if (this.index.form === 'json' && this.index.containers.length > 0) return yield* this.valueOf(0)
    const text = yield* this.slice(0, storedEnd(this.index))
    if (this.index.envelope) return fillEnvelope(this.index.envelope, text)
    return this.index.form === 'text' ? text : parseJson(text)
  }

  /** Its JSON text, put together from all segments. */
  *json(): ReadingSteps<string> {
    if (this.index.form === 'json') return yield* this.slice(0, storedEnd(this.index))
    if (this.index.envelope) return yield* this.#piecesOf(yield* this.value())
    let json = '"'
    for (const [number, length] of this.index.segments.entries()) {
      const start = this.#starts[number] as number
      json += JSON.stringify(yield* this.slice(start, start + length)).slice(1, -1)
      yield length / 8
    }
    return `${json}"`
  }

  *#piecesOf(value: JsonValue): ReadingSteps<string> {
    let json = ''
    for (const piece of valuePieces(value, true)) {
      json += piece
      yield piece.length / 8
    }
    return json
  }

  /** The value of a container. */
  *valueOf(container: number): ReadingSteps<JsonValue> {
    const { kind, start, end } = this.#container(container)
    if (kind === 'text') return yield* this.slice(start, end)
    if (kind === 'string') return yield* this.#string(start + 1, end - 1)
    if (kind === 'list') return yield* this.#list(container)
    const object: JsonObject = {}
    for (let number = 0; number < this.runCount(container); number++) {
      const run = yield* this.run(container, number)
      const members = (yield* this.partsOf(container, run)) as JsonObject
      for (const [key, member] of Object.entries(members)) setMember(object, key, member)
    }
    return object
  }

  /** It gets its room at the start: to grow, a large one would be copied again and again, all at once. */
  *#list(container: number): ReadingSteps<JsonValue[]> {
    const list = new Array<JsonValue>(this.#container(container).count)
    let at = 0
    for (let number = 0; number < this.runCount(container); number++) {
      const run = yield* this.run(container, number)
      for (const item of (yield* this.partsOf(container, run)) as JsonValue[]) list[at++] = item
    }
    list.length = at
    return list
  }

  *#string(start: number, end: number): ReadingSteps<string> {
    let text = ''
    for (let position = start; position < end; ) {
      const piece = yield* this.slice(position, Math.min(position + STRING_PIECE, end))
      const length = position + piece.length === end ? piece.length : wholeToken(piece, piece.length)
      text += JSON.parse(`"${piece.slice(0, length)}"`) as string
      yield length / 8
      position += length
    }
    return text
  }

  *#segment(number: number): ReadingSteps<string> {
    const at = this.#kept.findIndex(kept => kept.number === number)
    const [segment = this.#load(number)] = at < 0 ? [] : this.#kept.splice(at, 1)
    this.#kept.push(segment)
    if (this.#kept.length > KEPT_SEGMENTS) this.#kept.shift()
    return yield* waitFor(segment.text)
  }

  /** What cannot be loaded is tried again by the next who asks. */
  #load(number: number): KeptSegment {
    const segment = { number, text: this.load(number) }
    segment.text.catch(() => {
      const at = this.#kept.indexOf(segment)
      if (at >= 0) this.#kept.splice(at, 1)
    })
    return segment
  }

  #container(number: number): Container {
    return this.index.containers[number] as Container
  }

  /** The segment that a position lies in. */
  #segmentAt(position: number): number {
    let low = 0
    let high = this.#starts.length
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if ((this.#starts[middle] as number) <= position) low = middle
      else high = middle
    }
    return low
  }
}

/** UTF-16 units to look at first for the next part. */
const WINDOW = 32 * 1024
/** UTF-16 units of a string that are read at once. */
const STRING_PIECE = 128 * 1024

/** The last anchor of a part that is not behind the one that is asked for. */
function lastUpTo(anchors: Container['anchors'], part: number): readonly [number, number] | undefined {
  let low = -1
  let high = anchors.length
  while (low + 1 < high) {
    const middle = (low + high) >> 1
    if ((anchors[middle]?.[0] as number) <= part) low = middle
    else high = middle
  }
  return anchors[low]
}

function lineEnds(text: string, most: number): number[] {
  const ends: number[] = []
  for (let at = text.indexOf('\n'); at >= 0 && ends.length < most; at = text.indexOf('\n', at + 1))
    ends.push(at)
  return ends
}
