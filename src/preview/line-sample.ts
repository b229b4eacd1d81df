import type { ReadingSteps } from '../core/steps.ts'
import { wholeToken } from '../core/text-cuts.ts'
import { type Items, valueOfItems } from './items.ts'
import type { OutlinedLines } from './text-outline.ts'

const FEWEST_LINES = 20
const MOST_LINES = 2_000

/**
 * Reads some lines of a large text, and its beginning.
 * @param order the lines that are worth showing, the best first; none: from the beginning
 * @param length characters of the text
 * @param characters how many are needed, about
 */
export function* sampleLines(
  text: Items,
  order: readonly number[],
  length: number,
  characters: number,
): ReadingSteps<OutlinedLines> {
  const { start, end, count: total } = text
  const average = (end - start) / Math.max(1, total)
  const size = Math.max(FEWEST_LINES, Math.min(MOST_LINES, Math.ceil(characters / average)))
  const wanted =
    order.length > 0
      ? order.slice(0, size).sort((a, b) => a - b)
      : Array.from({ length: Math.min(size, total) }, (_, line) => line)
  const lines = new Map<number, { text: string; length: number }>()
  let next: readonly [line: number, position: number] = [0, start]
  for (const line of wanted) {
    const from = next[0] === line ? next[1] : yield* text.itemStart(line)
    const to = yield* text.itemStart(line + 1)
    lines.set(line, yield* readLine(text, from, to, characters))
    next = [line + 1, to]
  }
  return {
    total,
    length,
    beginning: yield* readText(text, start, Math.min(end, start + characters)),
    at: line => lines.get(line)?.text ?? '',
    lengthOf: line => lines.get(line)?.length ?? Number.POSITIVE_INFINITY,
  }
}

/** Of a long line the beginning, with its break. */
function* readLine(text: Items, from: number, to: number, most: number) {
  if (text.form === 'plain' && to - from > most) {
    const last = yield* text.slice(to - 1, to)
    const beginning = yield* readText(text, from, from + most)
    return { text: beginning + (last === '\n' ? last : ''), length: to - from }
  }
  const line = yield* readText(text, from, to)
  return { text: line, length: line.length }
}

function* readText(text: Items, from: number, to: number): ReadingSteps<string> {
  const read = yield* text.slice(from, to)
  yield read.length / 8
  const whole = text.form === 'escaped' && to < text.end ? read.slice(0, wholeToken(read, read.length)) : read
  return valueOfItems(text, whole) as string
}
