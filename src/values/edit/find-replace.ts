import { cutText } from '../../core/cut-text.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { countBreaks } from '../../core/lines.ts'
import type { Steps } from '../../core/steps.ts'

/** UTF-16 units that are looked through in one go. */
const WINDOW = 256 * 1024

/** Where a text occurs, at most so many times, from a position on. Places may overlap with `overlapping`. */
export function* occurrences(
  text: string,
  wanted: string,
  { most = Number.POSITIVE_INFINITY, overlapping = false } = {},
): Steps<number[]> {
  const found: number[] = []
  const step = overlapping ? 1 : wanted.length
  for (let start = 0, next = 0; start <= text.length - wanted.length; start += WINDOW) {
    const window = text.slice(start, start + WINDOW + wanted.length - 1)
    let at = window.indexOf(wanted, Math.max(0, next - start))
    while (at >= 0) {
      found.push(start + at)
      if (found.length === most) return found
      next = start + at + step
      at = window.indexOf(wanted, at + step)
    }
    yield WINDOW / 16
  }
  return found
}

/** The line that a position is in, from 1. */
export function* lineAt(text: string, position: number): Steps<number> {
  let line = 1
  for (let start = 0; start < position; start += WINDOW) {
    const window = text.slice(start, Math.min(start + WINDOW, position))
    line += countBreaks(window, 0, window.length)
    yield WINDOW / 16
  }
  return line
}

const MOST_LINES = 10
const LONGEST_SHOWN = 160

/** More than one place where there should be one. */
export function* ambiguous(text: string, wanted: string): Steps<InvalidArgument> {
  const places = yield* occurrences(text, wanted, { most: MOST_LINES + 1, overlapping: true })
  const lines: number[] = []
  for (const place of places.slice(0, MOST_LINES)) lines.push(yield* lineAt(text, place))
  const more = places.length > MOST_LINES ? ' and more' : ''
  const count = places.length > MOST_LINES ? `more than ${MOST_LINES}` : places.length
  return new InvalidArgument(
    `The text occurs ${count} times, in the lines ${[...new Set(lines)].join(', ')}${more}. Give more of what stands around the one you mean, or "all": true for every one.`,
  )
}

/** No place: says why, with the text that comes nearest. */
export function* absent(text: string, wanted: string): Steps<InvalidArgument> {
  const shared = yield* longestPrefix(text, wanted)
  const [at] = shared === 0 ? [] : yield* occurrences(text, wanted.slice(0, shared), { most: 1 })
  if (at !== undefined && shared >= Math.min(wanted.length / 2, 20)) {
    const line = yield* lineAt(text, at + shared)
    return notThere(
      `Its first ${shared} characters are in line ${yield* lineAt(text, at)}; then, in line ${line}, the text goes on with ${shown(text.slice(at + shared, at + shared + LONGEST_SHOWN))} where yours has ${shown(wanted.slice(shared, shared + LONGEST_SHOWN))}.`,
    )
  }
  const near = yield* nearestLine(text, wanted)
  if (near) return notThere(`Nearest is line ${near.line}: ${shown(near.text)}.`)
  return notThere('Nothing in it looks like that.')
}

function notThere(why: string): InvalidArgument {
  return new InvalidArgument(
    `The text to find is not there. ${why} It is compared exactly, with white space and case.`,
  )
}

function shown(text: string): string {
  return JSON.stringify(cutText(text, LONGEST_SHOWN))
}

/** How many characters of the beginning occur somewhere. */
function* longestPrefix(text: string, wanted: string): Steps<number> {
  let [low, high] = [0, wanted.length]
  while (low + 1 < high) {
    const middle = (low + high) >> 1
    const [at] = yield* occurrences(text, wanted.slice(0, middle), { most: 1 })
    if (at === undefined) high = middle
    else low = middle
  }
  return low
}

/** Lines that are compared: a model remembers words better than white space and case. */
const MOST_COMPARED = 200_000
/** Of its words, so many have to be there. */
const ENOUGH = 0.5

/** The line with most of the words of the first line that is looked for. */
function* nearestLine(text: string, wanted: string): Steps<{ line: number; text: string } | undefined> {
  const words = new Set(wordsOf(/\S.*/.exec(wanted.slice(0, 1_000))?.[0] ?? ''))
  if (words.size === 0) return undefined
  let best: { score: number; line: number; text: string } | undefined
  let start = 0
  for (let line = 1; start < text.length && line <= MOST_COMPARED; line++) {
    const end = text.indexOf('\n', start)
    const next = text.slice(start, Math.min(end < 0 ? text.length : end, start + 2 * LONGEST_SHOWN))
    const has = new Set(wordsOf(next))
    const score = [...words].filter(word => has.has(word)).length / words.size
    if (score >= ENOUGH && score > (best?.score ?? 0)) best = { score, line, text: next.trim() }
    if (best?.score === 1 || end < 0) break
    start = end + 1
    if (line % 100 === 0) yield 5_000
  }
  return best
}

function wordsOf(line: string): string[] {
  return line.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}
