import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { paced } from '../../core/steps.ts'
import { parsedJson } from '../../values/equal-json.ts'
import { JsonSegmenter } from '../../values/segments/json-segmenter.ts'
import { SegmentReader } from '../../values/segments/reader.ts'
import { type Container, SEGMENT_LENGTH } from '../../values/segments/segment-index.ts'
import { isRecordMap, keyedRow, rowsOf, tablesOf } from '../../values/tables.ts'
import { textTableOf } from '../../values/text-table.ts'

/** A table on its way into SQLite: its rows, some at a time. */
export interface RowSource {
  readonly name: string
  each(take: (row: JsonValue) => void): Promise<void>
}

/** Up to so many UTF-16 units a text is read as JSON at once. */
const PARSED_AT_ONCE = 4 * 1024 * 1024

/** The tables of a value, from the text of it: `root` and `lines`, too, but not `columns`. */
export async function tablesOfDocument(kind: 'json' | 'text', pieces: string[]): Promise<RowSource[]> {
  if (kind === 'json') return tablesOfJson(pieces)
  const text = pieces.join('')
  pieces.length = 0
  if (text.length <= PARSED_AT_ONCE) {
    const value = parsedJson(text)
    if (typeof value === 'object' && value !== null) return tablesOfValue(value, new Map())
  } else if (looksLikeJson(text)) {
    try {
      return await tablesOfJson([text])
    } catch {
      // A text that only begins and ends like JSON.
    }
  }
  return tablesOfText(text)
}

function looksLikeJson(text: string): boolean {
  return /^\s*[[{]/.test(text.slice(0, 1_000)) && /[\]}]\s*$/.test(text.slice(-1_000))
}

async function tablesOfText(text: string): Promise<RowSource[]> {
  const table = await textTableOf(text)
  const lines: RowSource = {
    name: 'lines',
    each: async take => {
      let line = 0
      for (let start = 0; start < text.length; ) {
        const end = text.indexOf('\n', start)
        const stop = end < 0 ? text.length : end
        const content = text.slice(start, text[stop - 1] === '\r' && stop > start ? stop - 1 : stop)
        take({ line: ++line, text: content })
        start = stop + 1
      }
    },
  }
  if (!table) return [lines]
  const rows: RowSource = {
    name: table.name,
    each: async take => {
      for (const { row } of table.rows()) take(row)
    },
  }
  return [rows, lines]
}

/** Reads JSON in pieces, so that of a large value only what is being written is there as objects. */
async function tablesOfJson(pieces: string[]): Promise<RowSource[]> {
  const segmenter = new JsonSegmenter(SEGMENT_LENGTH)
  const segments: string[] = []
  for (let at = 0; at < pieces.length; at++) {
    segments.push(...segmenter.push(pieces[at] as string))
    pieces[at] = ''
  }
  segments.push(...segmenter.end())
  const lengths = segments.map(segment => segment.length)
  const length = lengths.reduce((sum, one) => sum + one, 0)
  const index = {
    form: 'json',
    length,
    jsonBytes: length,
    segments: lengths,
    containers: segmenter.containers,
  } as const
  const reader = new SegmentReader(index, async at => segments[at] as string)
  const large = new Map<JsonValue, LargeList>()
  const value =
    index.containers.length === 0 ? await paced(reader.value()) : await skeletonOf(reader, 0, large)
  return tablesOfValue(value, large)
}

interface LargeList {
  readonly length: number
  whole(): Promise<JsonValue>
  each(take: (row: JsonValue) => void): Promise<void>
}

/** The value with what is large in it left out: an empty list, or the first records of a map, which stand for it. */
async function skeletonOf(
  reader: SegmentReader,
  container: number,
  large: Map<JsonValue, LargeList>,
): Promise<JsonValue> {
  const { kind } = reader.index.containers[container] as Container
  const length = lengthOf(reader, container)
  const isSmall = length <= SEGMENT_LENGTH
  if (isSmall || kind === 'text' || kind === 'string') return paced(reader.valueOf(container))
  if (kind === 'list') {
    const list: JsonValue[] = []
    large.set(list, {
      length,
      whole: () => paced(reader.valueOf(container)),
      each: take =>
        paced(
          reader.eachRun(container, run => {
            for (const item of run as JsonValue[]) take(item)
          }),
        ),
    })
    return list
  }
  return skeletonOfObject(reader, container, large)
}

class Enough extends Error {}

async function firstMembers(reader: SegmentReader, container: number, most: number): Promise<JsonObject> {
  const members: JsonObject = {}
  let count = 0
  try {
    await paced(
      reader.eachRun(container, run => {
        for (const [key, member] of Object.entries(run)) {
          define(members, key, member)
          if (++count === most) throw new Enough()
        }
      }),
    )
  } catch (error) {
    if (!(error instanceof Enough)) throw error
  }
  return members
}

const PROBED_MEMBERS = 50
/** With fewer members an object is no map of records. */
const LEAST_RECORDS = 8

/** A large object: a map of records, or one with fields, of which large lists and maps are stood in for. */
async function skeletonOfObject(
  reader: SegmentReader,
  container: number,
  large: Map<JsonValue, LargeList>,
): Promise<JsonValue> {
  if (mayBeMap(reader, container)) {
    const first = await firstMembers(reader, container, PROBED_MEMBERS)
    if (isRecordMap(first)) {
      large.set(first, {
        length: lengthOf(reader, container),
        whole: () => paced(reader.valueOf(container)),
        each: take => eachRecord(reader, container, take),
      })
      return first
    }
  }
  const standIns = new Map<number, JsonValue>()
  for (const child of reader.childrenOf(container))
    standIns.set(child, await skeletonOf(reader, child, large))
  const members: JsonObject = {}
  const take = (run: JsonValue[] | JsonObject) => {
    for (const [key, member] of Object.entries(run)) define(members, key, member)
  }
  await paced(reader.eachRun(container, take, child => standIns.get(child)))
  return members
}

function eachRecord(reader: SegmentReader, container: number, take: (row: JsonValue) => void): Promise<void> {
  return paced(
    reader.eachRun(container, run => {
      for (const [key, record] of Object.entries(run)) take(keyedRow(key, record as JsonObject))
    }),
  )
}

/** Without reading it: a map of records has no lists for members, and none that is very large. */
function mayBeMap(reader: SegmentReader, container: number): boolean {
  const { count } = reader.index.containers[container] as Container
  return (
    count >= LEAST_RECORDS &&
    reader.childrenOf(container).every(child => {
      const { kind } = reader.index.containers[child] as Container
      return kind === 'object' && lengthOf(reader, child) <= PARSED_AT_ONCE
    })
  )
}

function lengthOf(reader: SegmentReader, container: number): number {
  const { start, end } = reader.index.containers[container] as Container
  return end - start
}

/** The rows of the value's lists, and the value itself as one row. */
function tablesOfValue(value: JsonValue, large: ReadonlyMap<JsonValue, LargeList>): RowSource[] {
  const lists = tablesOf(value).map(table => {
    const stream = large.get(table.of)
    const each = async (take: (row: JsonValue) => void) => {
      for (const row of rowsOf(table)) take(row)
    }
    return { name: table.name, each: stream ? stream.each : each }
  })
  if (Array.isArray(value)) return lists
  return [...lists, { name: 'root', each: take => takeRoot(value, large, take) }]
}

/** Beyond it a list stands in its table alone. */
const LARGEST_CELL = 32 * 1024 * 1024

async function takeRoot(
  value: JsonValue,
  large: ReadonlyMap<JsonValue, LargeList>,
  take: (row: JsonValue) => void,
): Promise<void> {
  if (large.size === 0 || !isJsonObject(value)) return take(value)
  const filled = async (member: JsonValue): Promise<JsonValue> => {
    const stream = large.get(member)
    if (stream) {
      if (stream.length > LARGEST_CELL) return '…(too large for a cell: ask its own table)'
      return stream.whole()
    }
    if (!isJsonObject(member)) return member
    const copy: JsonObject = {}
    for (const [key, inner] of Object.entries(member)) define(copy, key, await filled(inner))
    return copy
  }
  take(large.has(value) ? { value: await filled(value) } : await filled(value))
}

function define(object: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
