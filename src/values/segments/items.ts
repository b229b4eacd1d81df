import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { partEnds } from '../../core/json-parts.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { pointerOf } from '../../core/part.ts'
import { paced } from '../../core/steps.ts'
import { wholeToken } from '../../core/text-cuts.ts'
import type { DocumentItem, ReadOptions } from '../value-document.ts'
import type { Run, SegmentReader } from './reader.ts'
import type { Container } from './segment-index.ts'

/** Containers deeper than this are one item each. */
const MOST_LEVELS = 6

type Steps = readonly (string | number)[]

/** Items of lists, and members of objects that are neither lists nor objects, however deep in objects they stand. */
export async function* itemsOf(
  reader: SegmentReader,
  container: number,
  { signal }: ReadOptions = {},
  above: Steps = [],
): AsyncGenerator<readonly DocumentItem[], void> {
  const isList = reader.index.containers[container]?.kind === 'list'
  for (let number = 0; number < reader.runCount(container); number++) {
    signal?.throwIfAborted()
    const run = await paced(reader.run(container, number))
    if ('child' in run) yield* largeItem(reader, run, isList, above, { signal })
    else if (isList) yield listItems(run.text, run.first, above)
    else yield [...membersIn(parseJson(`{${run.text}}`) as JsonObject, above)]
  }
}

async function* largeItem(
  reader: SegmentReader,
  { child, first }: Run & { readonly child: number },
  isList: boolean,
  above: Steps,
  options: ReadOptions,
): AsyncGenerator<readonly DocumentItem[], void> {
  const { kind, start, end } = reader.index.containers[child] as Container
  const steps = [...above, isList ? first : reader.keyOf(child)]
  const path = pointerOf(steps)
  if (kind === 'string' && (above.length > 0 || !isList)) {
    yield* inPieces(reader, path, { start: start + 1, end: end - 1, isEscaped: true }, options)
  } else if (kind === 'string' || isList || steps.length > MOST_LEVELS) {
    yield* inPieces(reader, path, { start, end, isEscaped: false }, options)
  } else yield* itemsOf(reader, child, options, steps)
}

/** UTF-16 units of a piece. */
const PIECE = 128 * 1024

async function* inPieces(
  reader: SegmentReader,
  path: string,
  { start, end, isEscaped }: { readonly start: number; readonly end: number; readonly isEscaped: boolean },
  { signal }: ReadOptions,
): AsyncGenerator<readonly DocumentItem[], void> {
  for (let at = start; at < end; ) {
    signal?.throwIfAborted()
    const piece = await paced(reader.slice(at, Math.min(at + PIECE, end)))
    const length = at + piece.length === end ? piece.length : wholeToken(piece, piece.length)
    const part = piece.slice(0, length)
    at += length
    const text = isEscaped ? (JSON.parse(`"${part}"`) as string) : part
    yield [{ path, text, ...(at < end ? { goesOn: true } : {}) }]
  }
}

/** Of the outermost list they are its JSON; elsewhere a text is a text. */
function listItems(text: string, first: number, above: Steps): DocumentItem[] {
  if (text.trim() === '') return []
  const items: DocumentItem[] = []
  let start = 0
  for (const end of [...partEnds(text, 0, Number.POSITIVE_INFINITY), text.length]) {
    const json = text.slice(start, end).trim()
    const path = pointerOf([...above, first + items.length])
    items.push({
      path,
      text: above.length > 0 && json.startsWith('"') ? (JSON.parse(json) as string) : compact(json),
    })
    start = end + 1
  }
  return items
}

/** A text that is JSON may be spaced. */
function compact(json: string): string {
  return json.includes('\n') ? stringifyJson(parseJson(json)) : json
}

function* membersIn(object: JsonObject, above: Steps): Iterable<DocumentItem> {
  for (const key of Object.keys(object)) yield* itemsIn(object[key] as JsonValue, [...above, key])
}

function* itemsIn(value: JsonValue, steps: Steps): Iterable<DocumentItem> {
  const goesDeeper = steps.length <= MOST_LEVELS
  if (goesDeeper && Array.isArray(value)) {
    for (const [at, item] of value.entries()) yield itemAt(item, [...steps, at])
  } else if (goesDeeper && isJsonObject(value)) yield* membersIn(value, steps)
  else yield itemAt(value, steps)
}

function itemAt(value: JsonValue, steps: Steps): DocumentItem {
  return { path: pointerOf(steps), text: typeof value === 'string' ? value : stringifyJson(value) }
}
