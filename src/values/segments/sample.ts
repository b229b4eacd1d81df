import type { JsonObject, JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import { pointerOf } from '../../core/part.ts'
import type { ReadingSteps } from '../../core/steps.ts'
import { wholeToken } from '../../core/text-cuts.ts'
import type { SegmentReader } from './reader.ts'
import type { Container } from './segment-index.ts'

/** Some parts of a large value, each in its place. */
export interface Sample {
  readonly value: JsonValue
  /** The lists and objects in it of which parts are missing, or parts of their parts. */
  readonly partial: ReadonlyMap<JsonValue, SampledParts>
}

export interface SampledParts {
  /** Its place in the index. */
  readonly container: number
  /** Which parts of the whole these are, from 0, ascending. */
  readonly positions: readonly number[]
  /** How many the whole has. */
  readonly total: number
  /** Of a part that is the beginning of a text, what the whole text has; by its place among these. */
  readonly texts: ReadonlyMap<number, TextLength>
}

/** How long a text is. */
export interface TextLength {
  readonly characters: number
  /** Absent: nobody has counted them. */
  readonly lines?: number
}

export interface SampleWish {
  /** About so many characters of JSON. */
  readonly characters: number
  /** Only the beginning, instead of parts from everywhere. */
  readonly fromStart: boolean
  /** Parts that must be in it, of a list or an object, by its JSON Pointer. */
  readonly wanted: (path: string) => readonly number[]
}

const FEWEST_ITEMS = 8
const MOST_PARTS = 2_000
/** So many members of an object are looked at first: its keys tell what it is. */
const FIRST_MEMBERS = 64
/** Parts side by side mostly lie in one segment. */
const PARTS_PER_RUN = 3
const MOST_RUNS = 16
const SHORTEST_TEXT = 2_000

/** Reads a sample of a container; of its segments only those that it needs. */
export function* sampleOf(reader: SegmentReader, container: number, wish: SampleWish): ReadingSteps<Sample> {
  const partial = new Map<JsonValue, SampledParts>()
  const sampler = new Sampler(reader, wish, partial)
  return { value: yield* sampler.sample(container, [], wish.characters), partial }
}

/** Parts that were read: the key is that of an object's member. */
type Read = Array<readonly [key: string, value: JsonValue]>

class Sampler {
  constructor(
    private readonly reader: SegmentReader,
    private readonly wish: SampleWish,
    private readonly partial: Map<JsonValue, SampledParts>,
  ) {}

  *sample(number: number, steps: readonly (string | number)[], room: number): ReadingSteps<JsonValue> {
    const container = this.reader.index.containers[number] as Container
    const { kind, count } = container
    if (kind === 'string' || kind === 'text') return yield* this.#text(container, room)
    const positions = this.#choose(container, pointerOf(steps), room)
    const read: Read = []
    const share = this.#shareOf(number, positions, room)
    for (const [first, length] of runsOf(positions)) {
      yield* this.#run(number, first, length, steps, share, read)
    }
    const value = kind === 'list' ? read.map(([, part]) => part) : (Object.fromEntries(read) as JsonObject)
    const texts = this.#textsAmong(number, positions, read)
    const isWhole = positions.length === count && texts.size === 0
    if (!isWhole || read.some(([, part]) => this.partial.has(part))) {
      this.partial.set(value, { container: number, positions, total: count, texts })
    }
    return value
  }

  #choose({ kind, start, end, count }: Container, path: string, room: number): number[] {
    const average = (end - start) / Math.max(1, count)
    const least = kind === 'object' ? FIRST_MEMBERS : FEWEST_ITEMS
    const size = Math.max(least, Math.min(MOST_PARTS, Math.ceil(room / average)))
    if (size >= count) return Array.from({ length: count }, (_, at) => at)
    const chosen = new Set<number>()
    const first = this.wish.fromStart ? size : kind === 'object' ? FIRST_MEMBERS : 0
    for (let at = 0; at < first; at++) chosen.add(at)
    if (this.wish.fromStart) return [...chosen]
    for (const at of evenRuns(size, count)) chosen.add(at)
    for (const at of this.wish.wanted(path)) if (at < count) chosen.add(at)
    return [...chosen].sort((a, b) => a - b)
  }

  /**
   * How much of each large part is read. What is shown of a part depends on what the others leave of the room, so those that are shorter
   * than their share leave the rest of it to the longer ones.
   */
  #shareOf(number: number, positions: readonly number[], room: number): number {
    const chosen = new Set(positions)
    const lengths = this.reader
      .childrenOf(number)
      .filter(child => chosen.has(this.#within(child).part))
      .map(child => this.reader.index.containers[child] as Container)
      .map(({ start, end }) => end - start)
      .sort((a, b) => a - b)
    let left = room
    for (const [at, length] of lengths.entries()) {
      const share = Math.floor(left / (lengths.length - at))
      if (length > share) return share
      left -= length
    }
    return room
  }

  /** Some neighbours. Those that are larger than a segment are sampled in their turn. */
  *#run(
    number: number,
    first: number,
    length: number,
    steps: readonly (string | number)[],
    room: number,
    into: Read,
  ): ReadingSteps<void> {
    let at = first
    for (const child of this.reader.childrenOf(number)) {
      const { part, key } = this.#within(child)
      if (part < at) continue
      if (part >= first + length) break
      yield* this.#small(number, at, part - at, into)
      into.push([key ?? '', yield* this.sample(child, [...steps, key ?? part], room)])
      at = part + 1
    }
    yield* this.#small(number, at, first + length - at, into)
  }

  *#small(number: number, first: number, count: number, into: Read): ReadingSteps<void> {
    if (count === 0) return
    const text = yield* this.reader.parts(number, first, count)
    yield text.length / 2
    const isList = this.reader.index.containers[number]?.kind === 'list'
    const parts = parseJson(isList ? `[${text}]` : `{${text}}`) as JsonValue[] | JsonObject
    for (const [key, part] of Object.entries(parts)) into.push([key, part])
  }

  *#text({ kind, start, end }: Container, room: number): ReadingSteps<string> {
    const length = Math.max(SHORTEST_TEXT, room)
    if (kind === 'text') return yield* this.reader.slice(start, Math.min(end, start + length))
    const text = yield* this.reader.slice(start + 1, Math.min(end - 1, start + 1 + length))
    return JSON.parse(`"${text.slice(0, wholeToken(text, text.length))}"`) as string
  }

  #textsAmong(number: number, positions: readonly number[], read: Read): Map<number, TextLength> {
    const texts = new Map<number, TextLength>()
    for (const child of this.reader.childrenOf(number)) {
      const { kind, start, end, count, lines } = this.reader.index.containers[child] as Container
      if (kind !== 'string' && kind !== 'text') continue
      const at = positions.indexOf(this.#within(child).part)
      const text = read[at]?.[1]
      // An index that was written before has no count of characters.
      const characters = kind === 'text' ? end - start : count || end - start - 2
      if (typeof text !== 'string' || text.length >= characters) continue
      texts.set(at, { characters, ...(lines === undefined ? {} : { lines }) })
    }
    return texts
  }

  #within(child: number) {
    return this.reader.index.containers[child]?.within as NonNullable<Container['within']>
  }
}

function* evenRuns(size: number, total: number): Iterable<number> {
  const runs = Math.max(2, Math.min(MOST_RUNS, Math.ceil(size / PARTS_PER_RUN)))
  const length = Math.min(total, Math.ceil(size / runs))
  for (let run = 0; run < runs; run++) {
    const start = Math.round((run * (total - length)) / (runs - 1))
    for (let at = 0; at < length; at++) yield start + at
  }
}

/** Ascending numbers as runs of neighbours: the first, and how many. */
function* runsOf(positions: readonly number[]): Iterable<readonly [number, number]> {
  for (let at = 0; at < positions.length; ) {
    const first = positions[at] as number
    let length = 1
    while (positions[at + length] === first + length) length++
    yield [first, length]
    at += length
  }
}
