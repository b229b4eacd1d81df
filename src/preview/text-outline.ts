import { lineStarts } from '../core/lines.ts'
import type { Steps } from '../core/steps.ts'
import { lineOrder } from '../values/line-order.ts'
import type { TextRows } from '../values/text-table.ts'
import { beginning, missingCharacters, missingFrom } from './truncate.ts'

/** A longer line of a log or a table is cut: it may take so much of the room. */
const LINE_SHARE = 0.25
const SHORTEST_CUT = 200
/** What a mark between lines takes, with its line break. */
const MARK = 32
/** Lines that did not fit, after which no further one is tried. */
const MOST_REFUSED = 20

/** The lines of a text, or those of them that are at hand. */
export interface OutlinedLines {
  readonly total: number
  /** Characters of the text. */
  readonly length: number
  /** Some of its first characters. */
  readonly beginning: string
  /** A line with its break; of a long one the beginning will do, with the break. */
  at(line: number): string
  /** Infinite where the line is not at hand. */
  lengthOf(line: number): number
}

class TextLines implements OutlinedLines {
  constructor(
    readonly beginning: string,
    private readonly starts: readonly number[],
  ) {}

  get total(): number {
    return this.starts.length
  }

  get length(): number {
    return this.beginning.length
  }

  *all(): Iterable<string> {
    for (let line = 0; line < this.total; line++) yield this.at(line)
  }

  at(line: number): string {
    return this.beginning.slice(this.starts[line], this.starts[line + 1])
  }

  lengthOf(line: number): number {
    return (this.starts[line + 1] ?? this.length) - (this.starts[line] ?? 0)
  }
}

/**
 * The lines of a text, in the order in which they are worth showing: prose and code from the beginning; of a log the first, the last
 * and those that stand out; of a table its header and rows from everywhere.
 */
export class TextOutline {
  readonly total: number
  readonly #lines: OutlinedLines
  readonly #isProse: boolean
  readonly #order: () => Iterable<number>
  readonly #shown = new Map<string, readonly [number, number]>()

  /** @param order absent: from the beginning */
  constructor(lines: OutlinedLines, order: (() => Iterable<number>) | undefined) {
    this.#lines = lines
    this.total = lines.total
    this.#isProse = order === undefined
    this.#order = order ?? (() => upTo(lines.total))
  }

  /** @param known the order of the lines, where that is known */
  static *of(
    text: string,
    rows: TextRows | undefined,
    fromStart: boolean,
    known: readonly number[] = [],
  ): Steps<TextOutline> {
    const starts = yield* lineStarts(text)
    const lines = new TextLines(text, starts)
    const find = function* () {
      if (known.length > 0) return () => known
      return yield* lineOrder(() => lines.all(), starts.length, rows)
    }
    const order = fromStart ? undefined : yield* find()
    return new TextOutline(lines, order)
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
    if (chosen.size === 0) {
      const { beginning: text, length: characters } = this.#lines
      return beginning(text, room, { characters, lines: this.total })
    }
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

  /** Characters of JSON, if they are at most `left`: a line may be the whole text. */
  #lengthOf(line: number, cut: number, left: number): number {
    const length = this.#lines.lengthOf(line)
    if (length > cut) return cut
    return length > left ? length : Math.min(JSON.stringify(this.#lines.at(line)).length - 2, cut)
  }

  #join(lines: readonly number[], cut: number): string {
    let text = ''
    let next = 0
    for (const line of lines) {
      if (line > next) text += `${missingFrom('line', next + 1, line)}\n`
      text += cutLine(this.#lines.at(line), this.#lines.lengthOf(line), cut)
      next = line + 1
    }
    return next < this.total ? text + missingFrom('line', next + 1, this.total) : text
  }
}

function* upTo(count: number): Iterable<number> {
  for (let at = 0; at < count; at++) yield at
}

/** @param total characters of the line, where only its beginning is at hand */
function cutLine(line: string, total: number, length: number): string {
  if (total <= length && JSON.stringify(line).length - 2 <= length) return line
  // As if all of it had as many escapes as its beginning.
  const head = line.slice(0, length)
  const kept = Math.max(0, Math.floor((length * head.length) / (JSON.stringify(head).length - 2)) - 24)
  const end = line.endsWith('\n') ? '\n' : ''
  const whole = line.slice(0, kept).replace(/[\ud800-\udbff]$/, '')
  return `${whole}${missingCharacters(total - end.length - whole.length)}${end}`
}
