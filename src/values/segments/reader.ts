import { UnreadableValue } from '../../core/errors.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { partEnds } from '../../core/json-parts.ts'
import { parseJson } from '../../core/json-text.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import { type ReadingSteps, waitFor } from '../../core/steps.ts'
import { wholeToken } from '../../core/text-cuts.ts'
import { fillEnvelope } from './envelope.ts'
import { type Container, type SegmentIndex, segmentStarts, storedEnd } from './segment-index.ts'

/** Segments that stay with a reader: a page stands in one or two. */
const KEPT_SEGMENTS = 4

/** Reads a value in segments; of each question, only the segments that it needs. Positions are those of `SegmentIndex`. */
export class SegmentReader {
  readonly #starts: readonly number[]
  /** The least recently used first. */
  readonly #kept = new Map<number, Promise<string>>()
  readonly #children = new Map<number, number[]>()

  /** @param load gives the text of a segment */
  constructor(
    readonly index: SegmentIndex,
    private readonly load: (segment: number) => Promise<string>,
  ) {
    this.#starts = segmentStarts(index)
    for (const [number, { within }] of index.containers.entries()) {
      if (within) this.#children.set(within.container, [...this.childrenOf(within.container), number])
    }
  }

  get length(): number {
    return this.index.length
  }

  /** The containers in the index that stand in another one, in their order. */
  childrenOf(container: number): readonly number[] {
    return this.#children.get(container) ?? []
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
    const { kind, start, end, count, anchors } = this.#container(container)
    const bracket = kind === 'text' ? 0 : 1
    const within = anchors.filter(([part]) => part > 0 && part < count)
    return [[0, start + bracket], ...within, [count, end - bracket]]
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
    const into = kind === 'list' ? ([] as JsonValue[]) : ({} as JsonObject)
    yield* this.eachRun(container, run => addRun(into, run))
    return into
  }

  /**
   * Hands out the parts of a list or an object in their order, some at a time: a list of items, or an object with some of the members.
   * @param standIn what is handed out for a large part; undefined: the part itself
   */
  *eachRun(
    container: number,
    take: (run: JsonValue[] | JsonObject) => void,
    standIn: (child: number) => JsonValue | undefined = () => undefined,
  ): ReadingSteps<void> {
    const { kind, start, end, anchors } = this.#container(container)
    const isList = kind === 'list'
    let position = start + 1
    for (const number of this.childrenOf(container)) {
      const child = this.#container(number)
      const { position: childStart, key = '' } = child.within as NonNullable<Container['within']>
      yield* this.#runsBetween(position, childStart, anchors, isList, take)
      const value = standIn(number) ?? (yield* this.valueOf(number))
      take(isList ? [value] : Object.fromEntries([[key, value]]))
      position = child.end
    }
    yield* this.#runsBetween(position, end - 1, anchors, isList, take)
  }

  /** Reads parts between two positions, from one anchor to the next. */
  *#runsBetween(
    start: number,
    end: number,
    anchors: Container['anchors'],
    isList: boolean,
    take: (run: JsonValue[] | JsonObject) => void,
  ): ReadingSteps<void> {
    const stops = anchors
      .map(([, position]) => position)
      .filter(position => position > start && position < end)
    let from = start
    for (const stop of [...stops, end]) {
      const text = withoutCommas(yield* this.slice(from, stop))
      from = stop
      if (text === '') continue
      yield text.length / 2
      take(parseJson(isList ? `[${text}]` : `{${text}}`) as JsonValue[] | JsonObject)
    }
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
    const kept = this.#kept.get(number)
    const loading = kept ?? this.load(number)
    this.#kept.delete(number)
    this.#kept.set(number, loading)
    if (!kept) loading.catch(() => this.#kept.delete(number))
    if (this.#kept.size > KEPT_SEGMENTS) this.#kept.delete(this.#kept.keys().next().value as number)
    return yield* waitFor(loading)
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

/** The commas before and behind a run of parts belong to its neighbours. */
function withoutCommas(text: string): string {
  return text.replace(/^\s*,/, '').replace(/,\s*$/, '').trim()
}

function addRun(into: JsonValue[] | JsonObject, run: JsonValue[] | JsonObject): void {
  if (Array.isArray(into)) for (const item of run as JsonValue[]) into.push(item)
  else for (const [key, member] of Object.entries(run)) addMember(into, key, member)
}

/** By definition, so that a member called `__proto__` stays a member. */
function addMember(into: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true })
  } else into[key] = value
}
