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
  const search = new PartSearch(matches)
  let count = 0
  for await (const batch of document.items({ signal })) {
    await paced(searchIn(batch, search), signal)
    count += batch.filter(({ goesOn }) => !goesOn).length
  }
  return matches.result({ items: count })
}

function* searchIn(batch: readonly DocumentItem[], search: PartSearch): Steps<void> {
  for (const { path, text, goesOn } of batch) {
    if (goesOn) yield* search.push(path, text)
    else yield* search.end(path, text)
  }
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

/** Takes lines or items, of which long ones come in pieces. */
class PartSearch {
  #pending = ''
  /** What is pending is not the beginning of its part. */
  #isWithin = false

  /** @param trim what of the rest of a part is looked through */
  constructor(
    private readonly matches: Matches,
    private readonly trim: (rest: string) => string = rest => rest,
  ) {}

  /** Whether a part has begun. */
  get isOpen(): boolean {
    return this.#pending !== '' || this.#isWithin
  }

  /** A piece of a part that goes on. */
  *push(position: string, piece: string): Steps<void> {
    const text = this.#pending + piece
    this.#pending = yield* this.matches.addWindows(position, text, !this.#isWithin)
    this.#isWithin ||= this.#pending.length < text.length
  }

  /** The last piece of a part, or all of it. */
  *end(position: string, piece: string): Steps<void> {
    yield* this.matches.addRest(position, this.trim(this.#pending + piece), !this.#isWithin)
    this.matches.endPart()
    this.#pending = ''
    this.#isWithin = false
  }
}

/** Takes a text in chunks. */
class LineSearch {
  #line = 1
  readonly #search: PartSearch

  constructor(private readonly matches: Matches) {
    this.#search = new PartSearch(matches, line => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }

  *push(text: string): Steps<void> {
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield* this.#endLine(text.slice(start, end))
      start = end + 1
    }
    yield* this.#search.push(String(this.#line), text.slice(start))
  }

  *end(): Steps<void> {
    if (this.#search.isOpen) yield* this.#endLine('')
  }

  result(): JsonObject {
    return this.matches.result({ lines: this.#line - 1 })
  }

  *#endLine(text: string): Steps<void> {
    yield* this.#search.end(String(this.#line), text)
    this.#line++
  }
}
