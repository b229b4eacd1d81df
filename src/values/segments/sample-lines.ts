import type { ReadingSteps } from '../../core/steps.ts'
import type { SegmentReader } from './reader.ts'
import type { Container } from './segment-index.ts'

/** Some lines of a large text. */
export interface LineSample {
  /** The number of a line from 0, with as much of it as is needed, its break, and how long all of it is. */
  readonly lines: ReadonlyMap<number, { readonly text: string; readonly length: number }>
  /** Some of the first characters of the text. */
  readonly beginning: string
  /** Characters and lines of the text. */
  readonly length: number
  readonly total: number
}

const FEWEST_LINES = 20
const MOST_LINES = 2_000

/** @param order the lines that are worth showing, the best first; none: from the beginning */
export function* sampleLines(
  reader: SegmentReader,
  container: number,
  order: readonly number[],
  characters: number,
): ReadingSteps<LineSample> {
  const { start, end, count: total } = reader.index.containers[container] as Container
  const average = (end - start) / Math.max(1, total)
  const size = Math.max(FEWEST_LINES, Math.min(MOST_LINES, Math.ceil(characters / average)))
  const wanted =
    order.length > 0
      ? order.slice(0, size).sort((a, b) => a - b)
      : Array.from({ length: Math.min(size, total) }, (_, line) => line)
  const lines = new Map<number, { text: string; length: number }>()
  let next: readonly [line: number, position: number] = [0, start]
  for (const line of wanted) {
    const from = next[0] === line ? next[1] : yield* reader.partStart(container, line)
    const to = yield* reader.partStart(container, line + 1)
    lines.set(line, { text: yield* lineText(reader, from, to, characters), length: to - from })
    next = [line + 1, to]
  }
  const beginning = yield* reader.slice(start, Math.min(end, start + characters))
  return { lines, beginning, length: end - start, total }
}

function* lineText(reader: SegmentReader, from: number, to: number, most: number): ReadingSteps<string> {
  if (to - from <= most) return yield* reader.slice(from, to)
  const last = yield* reader.slice(to - 1, to)
  return (yield* reader.slice(from, from + most)) + (last === '\n' ? last : '')
}
