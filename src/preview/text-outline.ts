import { lineStarts } from '../core/lines.ts'
import type { Steps } from '../core/steps.ts'
import { isLog, logOrder } from './log-lines.ts'
import { beginning, missingCharacters, missingFrom } from './truncate.ts'

/** Rows of a text: where each begins, in lines from 0, and which are unlike the others. */
export interface TextRows {
  readonly header: number
  readonly starts: readonly number[]
  readonly outliers: readonly number[]
}

/** A longer line of a log or a table is cut: it may take so much of the room. */
const LINE_SHARE = 0.25
const SHORTEST_CUT = 200
/** What a mark between lines takes, with its line break. */
const MARK = 32
/** Lines that did not fit, after which no further one is tried. */
const MOST_REFUSED = 20

/**
 * The lines of a text, in the order in which they are worth showing: prose and code from the beginning; of a log the first, the last
 * and those that stand out; of a table its header and rows from everywhere.
 */
export class TextOutline {
  readonly total: number
  readonly #text: string
  readonly #starts: readonly number[]
  readonly #isProse: boolean
  readonly #order: () => Iterable<number>
  readonly #shown = new Map<string, readonly [number, number]>()

  private constructor(text: string, starts: readonly number[], order: (() => Iterable<number>) | undefined) {
    this.#text = text
    this.#starts = starts
    this.total = starts.length
    this.#isProse = order === undefined
    this.#order = order ?? (() => starts.keys())
  }

  static *of(text: string, rows: TextRows | undefined, fromStart: boolean): Steps<TextOutline> {
    const starts = yield* lineStarts(text)
    if (fromStart) return new TextOutline(text, starts, undefined)
    if (rows) return new TextOutline(text, starts, () => rowOrder(rows, starts.length))
    const line = (index: number) => text.slice(starts[index], starts[index + 1])
    if (!isLog(line, starts.length)) return new TextOutline(text, starts, undefined)
    const order = yield* logOrder(line, starts.length)
    return new TextOutline(text, starts, order)
  }

  /** The JSON of a text in about `room` characters: as many lines as fit, and marks for the others. */
  *show(room: number): Steps<string> {
    const cut = this.#isProse
      ? Number.POSITIVE_INFINITY
      : Math.max(SHORTEST_CUT, Math.floor(room * LINE_SHARE))
    const chosen = new Set<number>()
    let left = room - 2 - MARK
    let refused = 0
    for (const line of this.#order()) {
      if (chosen.has(line)) continue
      const bounds = [line === 0 || chosen.has(line - 1), line === this.total - 1 || chosen.has(line + 1)]
      const marks = 1 - bounds.filter(Boolean).length
      const cost = this.#lengthOf(line, cut, left) + marks * MARK
      if (cost <= left) {
        chosen.add(line)
        left -= cost
      } else if (this.#isProse || ++refused > MOST_REFUSED) break
      yield Math.min(cost, 1_000)
    }
    if (chosen.size === 0) return beginning(this.#text, room)
    const lines = [...chosen].sort((a, b) => a - b)
    const json = JSON.stringify(this.#join(lines, cut))
    const [first, last] = [lines[0] as number, lines.at(-1) as number]
    if (last - first + 1 === lines.length) this.#shown.set(json, [first + 1, last + 1])
    return json
  }

  /** First and last line of what `show` gave, from 1, where it is one run of lines. */
  linesIn(json: string): readonly [number, number] | undefined {
    return this.#shown.get(json)
  }

  #line(line: number): string {
    return this.#text.slice(this.#starts[line], this.#starts[line + 1])
  }

  /** Characters of JSON, if they are at most `left`: a line may be the whole text. */
  #lengthOf(line: number, cut: number, left: number): number {
    const length = (this.#starts[line + 1] ?? this.#text.length) - (this.#starts[line] ?? 0)
    if (length > cut) return cut
    return length > left ? length : Math.min(JSON.stringify(this.#line(line)).length - 2, cut)
  }

  #join(lines: readonly number[], cut: number): string {
    let text = ''
    let next = 0
    for (const line of lines) {
      if (line > next) text += `${missingFrom('line', next + 1, line)}\n`
      text += cutLine(this.#line(line), cut)
      next = line + 1
    }
    return next < this.total ? text + missingFrom('line', next + 1, this.total) : text
  }
}

function cutLine(line: string, length: number): string {
  if (line.length <= length && JSON.stringify(line).length - 2 <= length) return line
  // As if all of it had as many escapes as its beginning.
  const head = line.slice(0, length)
  const kept = Math.max(0, Math.floor((length * head.length) / (JSON.stringify(head).length - 2)) - 24)
  const end = line.endsWith('\n') ? '\n' : ''
  const whole = line.slice(0, kept).replace(/[\ud800-\udbff]$/, '')
  return `${whole}${missingCharacters(line.length - end.length - whole.length)}${end}`
}

/** Rows side by side cost one mark. */
const ROWS_PER_RUN = 3

function* rowOrder({ header, starts, outliers }: TextRows, total: number): Iterable<number> {
  const lines = function* (row: number) {
    for (let line = starts[row] ?? 0; line < (starts[row + 1] ?? total); line++) yield line
  }
  for (let line = 0; line < header; line++) yield line
  for (const row of [0, starts.length - 1, ...outliers]) yield* lines(row)
  const runs = Math.ceil(starts.length / ROWS_PER_RUN)
  for (const run of halving(runs)) {
    for (let row = run * ROWS_PER_RUN; row < Math.min((run + 1) * ROWS_PER_RUN, starts.length); row++) {
      yield* lines(row)
    }
  }
}

/** The numbers from 0 up to `count`, so that as many as are taken lie evenly spaced. */
function* halving(count: number): Iterable<number> {
  yield 0
  for (let parts = 2; parts < 2 * count; parts *= 2) {
    for (let odd = 1; odd < parts; odd += 2) yield Math.floor((odd * count) / parts)
  }
}
