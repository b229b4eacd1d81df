import { cutText } from '../../core/cut-text.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { countBreaks } from '../../core/lines.ts'
import type { Steps } from '../../core/steps.ts'

/** UTF-16 units that are looked through in one go. */
const WINDOW = 256 * 1024

/** What to do with a place: the next one begins behind it, or may overlap it; or the search ends. */
export type Taken = 'taken' | 'passed' | 'end'

/** The longest beginning of what is wanted that is there, and where it is first. */
interface Prefix {
  readonly length: number
  readonly at: number
}

/** Goes through the places of a text where another one occurs: Knuth, Morris and Pratt's search, linear whatever the texts are. */
export function* search(text: string, wanted: string, take: (at: number) => Taken): Steps<Prefix> {
  let longest: Prefix = { length: 0, at: 0 }
  const borders = yield* bordersOf(wanted)
  for (let at = 0, matched = 0; at < text.length; at++) {
    matched = extended(wanted, borders, matched, text.charCodeAt(at))
    if (matched > longest.length) longest = { length: matched, at: at + 1 - matched }
    if (matched === wanted.length) {
      const taken = take(at + 1 - matched)
      if (taken === 'end') break
      matched = taken === 'taken' ? 0 : (borders[matched - 1] as number)
    }
    if (at % WINDOW === WINDOW - 1) yield WINDOW / 8
  }
  yield (text.length % WINDOW) / 8
  return longest
}

/** Of each beginning: the length of the longest shorter one that it ends with. */
function* bordersOf(wanted: string): Steps<Int32Array> {
  const borders = new Int32Array(wanted.length)
  for (let at = 1; at < wanted.length; at++) {
    borders[at] = extended(wanted, borders, borders[at - 1] as number, wanted.charCodeAt(at))
    if (at % WINDOW === 0) yield WINDOW / 8
  }
  return borders
}

function extended(wanted: string, borders: Int32Array, matched: number, unit: number): number {
  let length = matched
  while (length > 0 && wanted.charCodeAt(length) !== unit) length = borders[length - 1] as number
  return wanted.charCodeAt(length) === unit ? length + 1 : length
}

/** The first places, which may overlap, but for those that are passed over. */
export function* occurrences(
  text: string,
  wanted: string,
  most: number,
  isPassed: (start: number, end: number) => boolean = () => false,
): Steps<number[]> {
  const found: number[] = []
  yield* search(text, wanted, at => {
    if (!isPassed(at, at + wanted.length)) found.push(at)
    return found.length === most ? 'end' : 'passed'
  })
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
export function* ambiguous(
  text: string,
  wanted: string,
  isPassed: (start: number, end: number) => boolean,
): Steps<InvalidArgument> {
  const places = yield* occurrences(text, wanted, MOST_LINES + 1, isPassed)
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
  const { length: shared, at } = yield* search(text, wanted, () => 'end')
  if (shared > 0 && shared >= Math.min(wanted.length / 2, 20)) {
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
