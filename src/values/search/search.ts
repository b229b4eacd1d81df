import type { JsonObject } from '../../core/json.ts'
import { paced, type Steps } from '../../core/steps.ts'
import type { DocumentItem, ReadOptions, ValueDocument } from '../value-document.ts'
import { toPattern } from './expression.ts'
import { Matches } from './matches.ts'

export interface SearchOptions extends ReadOptions {
  /** A text, exactly, or `/expression/flags`. */
  readonly search: string
  /** Lines or items that are shown before and after each match. @defaultValue 0 */
  readonly context?: number | undefined
}

/**
 * The lines of a text, or the items of the lists of a value, that contain something: each with its position, which is the fragment of a
 * reference: `312` for `#L312`, `/items/311` for `#/items/311`. Reads piece by piece.
 *
 * @throws InvalidArgument
 */
export async function searchDocument(
  document: ValueDocument,
  { search, context = 0, signal }: SearchOptions,
): Promise<JsonObject> {
  // A number, true, false or null is a line, too.
  const isText = document.kind === 'text' || !/[[{\s]/.test(await document.slice(0, 1))
  const matches = new Matches(await toPattern(search, { inJson: !isText }), context)
  return isText ? searchLines(document, matches, signal) : searchItems(document, matches, signal)
}

async function searchItems(
  document: ValueDocument,
  matches: Matches,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  let count = 0
  for await (const batch of document.items({ signal })) {
    await paced(searchIn(batch, matches), signal)
    count += batch.length
  }
  return matches.result({ items: count })
}

function* searchIn(batch: readonly DocumentItem[], matches: Matches): Steps<void> {
  for (const { path, text } of batch) yield* matches.addWhole(path, text)
}

async function searchLines(
  document: ValueDocument,
  matches: Matches,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const search = new LineSearch(matches)
  for await (const chunk of document.text({ signal })) await paced(search.push(chunk))
  await paced(search.end())
  return search.result()
}

/** Takes a text in chunks. */
class LineSearch {
  #line = 1
  #pending = ''
  /** What is pending is not the beginning of its line. */
  #isWithin = false

  constructor(private readonly matches: Matches) {}

  *push(chunk: string): Steps<void> {
    const text = this.#pending + chunk
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield* this.#takeLine(text.slice(start, end))
      start = end + 1
    }
    const rest = text.slice(start)
    this.#pending = yield* this.matches.addWindows(String(this.#line), rest, !this.#isWithin)
    this.#isWithin ||= this.#pending.length < rest.length
  }

  *end(): Steps<void> {
    if (this.#pending !== '' || this.#isWithin) yield* this.#takeLine(this.#pending)
  }

  result(): JsonObject {
    return this.matches.result({ lines: this.#line - 1 })
  }

  *#takeLine(text: string): Steps<void> {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    yield* this.matches.addRest(String(this.#line), line, !this.#isWithin)
    this.matches.endPart()
    this.#line++
    this.#isWithin = false
  }
}
