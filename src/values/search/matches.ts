import type { JsonObject } from '../../core/json.ts'
import type { Steps } from '../../core/steps.ts'
import type { Pattern, Span } from './expression.ts'

/** A longer line or item is looked through in windows, which have so much in common. */
const WINDOW = 64 * 1024
const OVERLAP = 4 * 1024

/** Which piece of a line or item a text is. */
interface Piece {
  readonly isStart: boolean
  readonly isEnd: boolean
}

/** A longer line or item is shown as the neighbourhoods of its matches. */
const LONGEST_SHOWN = 400
const NEIGHBOURHOOD = 120
/** Characters of all matches that are listed. The others are counted. */
const MOST_LISTED = 16 * 1024 * 1024
const MOST_CONTEXT = 50
/** About what a match costs beside what is looked through, in characters. */
const MATCH_WORK = 32

/** Collects what matches, with what stands around it: lines or items, one after the other. */
export class Matches {
  readonly #listed: string[] = []
  #matched = 0
  #length = 0
  /** The lines or items since the last one that is shown: the latest of them, and how many there are. */
  readonly #before: string[] = []
  #unshown = 0
  /** How many are still to be shown after the last match. */
  #after = 0
  /** Of the line or item that is looked at: its beginning, and what of it is shown. */
  #current: { position: string; text: string; shown: string[] } | undefined
  readonly #context: number

  constructor(
    private readonly pattern: Pattern,
    context: number,
  ) {
    this.#context = Math.min(context, MOST_CONTEXT)
  }

  /** Looks through a whole line or item. */
  *addWhole(position: string, text: string): Steps<void> {
    yield* this.addRest(position, text, true)
    this.endPart()
  }

  /** The same for the rest of one. */
  *addRest(position: string, text: string, isStart: boolean): Steps<void> {
    const rest = yield* this.addWindows(position, text, isStart)
    yield* this.#add(position, rest, { isStart: isStart && rest.length === text.length, isEnd: true })
  }

  /** Looks through what is too long to be looked through at once. Gives the rest. */
  *addWindows(position: string, text: string, isStart: boolean): Steps<string> {
    let start = 0
    for (; text.length - start > WINDOW; start += WINDOW - OVERLAP) {
      yield* this.#add(position, text.slice(start, start + WINDOW), {
        isStart: isStart && start === 0,
        isEnd: false,
      })
    }
    return text.slice(start)
  }

  /** A short line or item counts once, in a longer one every match does: those that stand close together are shown together. */
  *#add(position: string, text: string, piece: Piece): Steps<void> {
    const isShort = text.length <= LONGEST_SHOWN && piece.isStart && piece.isEnd
    this.#current ??= { position, text: isShort ? text : `${text.slice(0, LONGEST_SHOWN)}…`, shown: [] }
    let next = piece.isStart ? 0 : OVERLAP / 2
    let shownTo = next
    for (let span = this.#find(text, next, piece); span; span = this.#find(text, next, piece)) {
      this.#matched++
      if (isShort || span.start >= shownTo) {
        this.#current.shown.push(isShort ? text : neighbourhood(text, span, piece))
        shownTo = Math.max(span.end, span.start + NEIGHBOURHOOD)
      }
      if (isShort) break
      const from = next
      next = Math.max(span.end, span.start + 1)
      yield MATCH_WORK + (next - from) * this.pattern.cost
    }
    yield 1 + Math.max(0, text.length - next) * this.pattern.cost
  }

  /** The line or item is over. */
  endPart(): void {
    const current = this.#current
    this.#current = undefined
    if (!current) return
    const { position, text, shown } = current
    if (shown.length > 0) {
      for (const one of shown) this.#list(`${position}: ${one}`)
    } else if (this.#after > 0) {
      this.#after--
      this.#append(`${position}- ${text}`)
    } else if (this.#context > 0) {
      this.#unshown++
      this.#before.push(`${position}- ${text}`)
      if (this.#before.length > this.#context) this.#before.shift()
    }
  }

  /** All that was found; `searched` says in how much. */
  result(searched: JsonObject): JsonObject {
    const isCut = this.#length > MOST_LISTED
    const matches = this.#listed
    return { matched: this.#matched, ...searched, ...(isCut ? { listed: matches.length } : {}), matches }
  }

  /** What follows on what is shown already is shown with it. */
  #list(match: string): void {
    const follows = this.#context > 0 && this.#listed.length > 0 && this.#unshown === this.#before.length
    const lines = [...this.#before.splice(0), match]
    if (follows) for (const line of lines) this.#append(line)
    else {
      const group = lines.join('\n')
      this.#length += group.length
      if (this.#length <= MOST_LISTED) this.#listed.push(group)
    }
    this.#unshown = 0
    this.#after = this.#context
  }

  #append(line: string): void {
    this.#length += line.length
    const last = this.#listed.length - 1
    if (this.#length <= MOST_LISTED && last >= 0) this.#listed[last] += `\n${line}`
  }

  /** A match near the end of a piece that is not the last is found again in the next one, with what follows. */
  #find(text: string, from: number, { isEnd }: Piece): Span | undefined {
    const span = from > text.length ? undefined : this.pattern.find(text, from)
    const isForNext = span && !isEnd && span.start >= text.length - OVERLAP / 2
    return isForNext ? undefined : span
  }
}

function neighbourhood(text: string, { start, end }: Span, { isStart, isEnd }: Piece): string {
  const from = Math.max(0, start - NEIGHBOURHOOD)
  const to = Math.min(text.length, Math.min(end, start + LONGEST_SHOWN) + NEIGHBOURHOOD)
  const before = from > 0 || !isStart ? '…' : ''
  const after = to < text.length || !isEnd ? '…' : ''
  return `${before}${text.slice(from, to)}${after}`
}
