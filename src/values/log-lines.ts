import type { Steps } from '../core/steps.ts'

/** A shorter text is no log that needs a choice. */
const FEWEST_LINES = 10
const PROBED_LINES = 100
const LOGGED =
  /\d{1,2}:\d{2}:\d{2}|\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b|^\[?\d{10,13}\b/
const HEAD = 80
/** So many lines of a log look like one. */
const MOSTLY = 0.6

/** Whether most lines begin with a time or a level. @param lines all of them, so many */
export function* isLog(lines: Iterable<string>, total: number): Steps<boolean> {
  if (total < FEWEST_LINES) return false
  const probes = Math.min(PROBED_LINES, total)
  let [line, probed, logged] = [0, 0, 0]
  for (const text of lines) {
    yield WORK_PER_LINE
    if (line++ < Math.floor((probed * total) / probes)) continue
    if (LOGGED.test(text.slice(0, HEAD))) logged++
    if (++probed === probes) break
  }
  return logged >= MOSTLY * probes
}

/** About what it costs to find the next line, in characters tokenized. */
export const WORK_PER_LINE = 5

const FAILURE = /\b(?:error|fatal|critical|panic|exception|traceback|failed|failure|segfault)\b/i
const WARNING = /\b(?:warn|warning|deprecated|timeout|timed out|retry|denied|refused)\b/i
const MOST_KINDS = 2_000
/** Kinds of lines that are told apart from the usual ones. */
const MOST_SHOWN = 100
/** So much of a log a kind of line has at most that is rare. */
const RARE = 0.02
const LOOKED_AT = 400

/** Lines that differ in numbers alone are of one kind. */
interface LineKind {
  readonly severity: number
  readonly first: number
  last: number
  count: number
}

/** Counts the kinds of lines of a log, line by line, in bounded memory. */
export class LogCounter {
  readonly #kinds = new Map<string, LineKind>()
  #total = 0
  #logged = 0

  add(lineText: string): void {
    const line = this.#total++
    const text = lineText.slice(0, LOOKED_AT)
    if (LOGGED.test(text.slice(0, HEAD))) this.#logged++
    const severity = FAILURE.test(text) ? 2 : WARNING.test(text) ? 1 : 0
    const key = text.slice(0, 160).replaceAll(/[0-9a-f]*\d[0-9a-f]*/gi, '#')
    const known = this.#kinds.get(key)
    if (known) {
      known.count++
      known.last = line
    } else if (this.#kinds.size < MOST_KINDS) {
      this.#kinds.set(key, { severity, first: line, last: line, count: 1 })
    }
  }

  /** Whether most of the lines so far begin with a time or a level. */
  get isLog(): boolean {
    return this.#total >= FEWEST_LINES && this.#logged >= MOSTLY * this.#total
  }

  /** First and last lines, and between them those that stand out: failures before warnings before what is only rare. */
  order(): Iterable<number> {
    const kinds = this.#kinds
    const limit = Math.max(2, Math.floor(this.#total * RARE))
    const odd = [...kinds.values()]
      // Where all lines differ, none stands out by that.
      .filter(({ severity, count }) => severity > 0 || (count <= limit && kinds.size < MOST_KINDS))
      .sort((a, b) => b.severity - a.severity || a.count - b.count || a.first - b.first)
      .slice(0, MOST_SHOWN)
    const standing = [
      ...odd.map(({ first }) => first),
      ...odd.filter(({ severity }) => severity > 0).map(({ last }) => last),
    ]
    return interleaved(standing, this.#total)
  }
}

/** The order of the lines of a log that is at hand. */
export function* logOrder(lines: Iterable<string>): Steps<() => Iterable<number>> {
  const counter = new LogCounter()
  for (const line of lines) {
    counter.add(line)
    yield 200
  }
  return () => counter.order()
}

/** How many lines from either end come first. */
const ENDS = 3

function* interleaved(standing: readonly number[], total: number): Iterable<number> {
  let fromEnds = 0
  const nextFromEnds = function* () {
    if (2 * fromEnds >= total) return
    yield fromEnds
    yield total - 1 - fromEnds
    fromEnds++
  }
  for (let at = 0; at < ENDS; at++) yield* nextFromEnds()
  for (const [at, line] of standing.entries()) {
    yield line
    if (at % 4 === 3) yield* nextFromEnds()
  }
  while (2 * fromEnds < total) yield* nextFromEnds()
}
