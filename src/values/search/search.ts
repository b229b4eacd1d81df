import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { partEnds } from '../../core/json-parts.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { pointerOf } from '../../core/part.ts'
import { paced, type Steps } from '../../core/steps.ts'
import { parsedJson } from '../equal-json.ts'
import type { ReadableTable, ReadOptions, ValueDocument } from '../value-document.ts'
import { toPattern } from './expression.ts'
import { Matches } from './matches.ts'

export interface SearchOptions extends ReadOptions {
  /** A text, exactly, or `/expression/flags`. */
  readonly search: string
  /** Lines or items that are shown before and after each match. @defaultValue 0 */
  readonly context?: number | undefined
}

/** Containers deeper than this are searched as they are. */
const MOST_LEVELS = 6

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
  const [list] = await document.tables()
  if (document.kind === 'json' && list?.path === '' && list.kind === 'list') {
    return searchItems(
      document,
      list,
      new Matches(await toPattern(search, { inJson: true }), context),
      signal,
    )
  }
  const value =
    document.kind === 'json' ? await document.part({ kind: 'pointer', steps: [] }) : await jsonOf(document)
  if (typeof value !== 'object' || value === null)
    return searchLines(document, new Matches(await toPattern(search), context), signal)
  const matches = new Matches(await toPattern(search, { inJson: true }), context)
  const count = await paced(searchParts(value, matches, signal))
  return matches.result({ items: count })
}

/** The JSON that a text is. */
async function jsonOf(document: ValueDocument): Promise<JsonValue | undefined> {
  const isLikely = /^\s*[[{]/.test(await document.slice(0, Math.min(document.length, 1_000)))
  return isLikely ? parsedJson(await document.slice(0, document.length)) : undefined
}

async function searchItems(
  document: ValueDocument,
  list: ReadableTable,
  matches: Matches,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  let count = 0
  for await (const batch of document.rowsJson(list, { signal })) {
    count = await paced(itemsIn(batch, count, matches))
  }
  return matches.result({ items: count })
}

function* itemsIn(batch: string, first: number, matches: Matches): Steps<number> {
  const items = batch.slice(1, -1)
  if (items.trim() === '') return first
  let count = first
  let start = 0
  for (const end of [...partEnds(items, 0, Number.POSITIVE_INFINITY), items.length]) {
    yield* matches.addWhole(`/${count}`, items.slice(start, end).trim())
    count++
    start = end + 1
  }
  return count
}

/** Items of lists, and members of objects that are neither lists nor objects, however deep in objects they stand. */
function* searchParts(
  value: JsonValue[] | JsonObject,
  matches: Matches,
  signal: AbortSignal | undefined,
): Steps<number> {
  let count = 0
  for (const [steps, part] of partsOf(value, [], 0)) {
    signal?.throwIfAborted()
    const text = typeof part === 'string' ? part : stringifyJson(part)
    yield text.length / 8
    yield* matches.addWhole(pointerOf(steps), text)
    count++
  }
  return count
}

type Pointer = readonly (string | number)[]

function* partsOf(
  value: JsonValue[] | JsonObject,
  above: Pointer,
  level: number,
): Iterable<[Pointer, JsonValue]> {
  if (Array.isArray(value)) {
    for (const [position, item] of value.entries()) yield [[...above, position], item]
    return
  }
  for (const key of Object.keys(value)) {
    const steps = [...above, key]
    const member = value[key] as JsonValue
    const isContainer = Array.isArray(member) || isJsonObject(member)
    if (isContainer && level < MOST_LEVELS) yield* partsOf(member, steps, level + 1)
    else yield [steps, member]
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
