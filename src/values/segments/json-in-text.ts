import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { skipSpace } from '../../core/json-tokens.ts'
import type { ReadingSteps, Steps } from '../../core/steps.ts'
import { wholeToken } from '../../core/text-cuts.ts'
import type { CountedTable } from '../counted-tables.ts'
import { looksLikeJson, survivesParsing } from '../survives-parsing.ts'
import type { TextPieces } from '../text-pieces.ts'
import { countDocumentTables } from './document-tables.ts'
import { JsonSegmenter } from './json-segmenter.ts'
import { SegmentReader } from './reader.ts'
import { type Container, SEGMENT_LENGTH } from './segment-index.ts'

/** The list or object that a text is, with the larger lists and objects in it. */
export interface JsonInText {
  /** Positions are those of the text. */
  readonly containers: readonly Container[]
  readonly tables: readonly CountedTable[]
}

/** UTF-16 units that are looked at in one go. */
const PIECE = 64 * 1024

/** Finds what is where in a text that is JSON. Undefined: it is none, or to read it so would lose something. */
export function* jsonInText(
  text: string | TextPieces,
  segmentLength = SEGMENT_LENGTH,
): ReadingSteps<JsonInText | undefined> {
  const containers = yield* jsonContainers(text, segmentLength)
  return containers && { containers, tables: yield* countDocumentTables(readerOfText(text, containers), 0) }
}

/** The same without its tables. */
export function* jsonContainers(
  text: string | TextPieces,
  segmentLength = SEGMENT_LENGTH,
): ReadingSteps<readonly Container[] | undefined> {
  if (!mayBeJson(text)) return undefined
  const containers = yield* containersIn(text, segmentLength)
  if (!containers || text.slice(containers[0]?.end ?? 0, text.length).trim() !== '') return undefined
  const reader = readerOfText(text, containers)
  for (const number of containers.keys()) if (!(yield* isValid(text, reader, number))) return undefined
  return containers
}

function mayBeJson(text: string | TextPieces): boolean {
  let [first, last] = ['', '']
  for (const piece of piecesOf(text)) {
    if (skipSpace(piece, 0) === piece.length) continue
    if (first === '') first = piece
    last = piece
  }
  return looksLikeJson(first, last)
}

function piecesOf(text: string | TextPieces): Iterable<string> {
  return typeof text === 'string' ? [text] : text.all()
}

/** Reads the JSON in a text that is in memory. */
export function readerOfText(text: string | TextPieces, containers: readonly Container[]): SegmentReader {
  const { length } = text
  const pieces = [...piecesOf(text)].filter(piece => piece !== '')
  const segments = pieces.map(piece => piece.length)
  const index = { form: 'json', length, jsonBytes: 0, segments, containers } as const
  return new SegmentReader(index, async at => pieces[at] as string)
}

function* containersIn(
  text: string | TextPieces,
  segmentLength: number,
): Steps<readonly Container[] | undefined> {
  const segmenter = new JsonSegmenter(segmentLength)
  try {
    for (let start = 0; start < text.length; start += PIECE) {
      segmenter.push(text.slice(start, start + PIECE))
      yield PIECE / 4
    }
  } catch {
    // A key that is no JSON.
    return undefined
  }
  const { containers } = segmenter
  return containers.length > 0 && containers.every(({ end }) => Number.isFinite(end) && end > 0)
    ? containers
    : undefined
}

/** Reads a container run by run, with a 0 in the place of each larger part. */
function* isValid(text: string | TextPieces, reader: SegmentReader, number: number): Steps<boolean> {
  const { kind, start, end } = reader.index.containers[number] as Container
  if (kind === 'string') return yield* isString(text, start + 1, end - 1)
  const [open, close] = kind === 'list' ? ['[', ']'] : ['{', '}']
  if (text.slice(end - 1, end) !== close) return false
  const keys = new Set<string>()
  const stops = reader.stopsOf(number)
  for (const [at, [, from]] of stops.slice(0, -1).entries()) {
    const to = stops[at + 1]?.[1] as number
    const isLast = at + 2 === stops.length
    const run = withoutChildren(text, reader, number, from, to)
    if (!isLast && !run.endsWith(',')) return false
    const parts = isLast ? run : run.slice(0, -1)
    // Only a container without parts has an empty run.
    if (parts.trim() === '' && stops.length > 2) return false
    const json = `${open}${parts}${close}`
    const read = readAlike(json)
    if (read === undefined || !(yield* survivesParsing(json, read.json))) return false
    if (kind === 'object') {
      for (const key of Object.keys(read.value)) {
        if (keys.has(key)) return false
        keys.add(key)
      }
    }
  }
  return true
}

function withoutChildren(
  text: string | TextPieces,
  reader: SegmentReader,
  number: number,
  from: number,
  to: number,
): string {
  let run = ''
  let at = from
  for (const child of reader.childrenOf(number)) {
    const { start, end } = reader.index.containers[child] as Container
    if (start < from || start >= to) continue
    run += `${text.slice(at, start)}0`
    at = end
  }
  return run + text.slice(at, to)
}

function readAlike(json: string): { value: object; json: string } | undefined {
  try {
    const value = parseJson(json) as object
    return { value, json: stringifyJson(value) }
  } catch {
    return undefined
  }
}

function* isString(text: string | TextPieces, start: number, end: number): Steps<boolean> {
  for (let at = start; at < end; ) {
    const piece = text.slice(at, Math.min(at + PIECE, end))
    const length = at + piece.length === end ? piece.length : wholeToken(piece, piece.length)
    if (readAlike(`["${piece.slice(0, length)}"]`) === undefined) return false
    yield length / 8
    at += length
  }
  return true
}
