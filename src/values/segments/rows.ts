import type { JsonObject, JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import type { ReadingSteps } from '../../core/steps.ts'
import { workOf } from '../counted-tables.ts'
import { ShapeCounter, type TableShape } from '../shape.ts'
import { rowsOf } from '../tables.ts'
import type { SegmentReader } from './reader.ts'

/** Some parts of a container that stand side by side. */
export interface Batch {
  /** The first of them, from 0. */
  readonly first: number
  readonly count: number
  /** Items or members with the commas between them, or lines. */
  readonly text: string
}

/** How many batches a container is read in, each of about a segment; a part that is larger is one of its own. */
export function batchCount(reader: SegmentReader, container: number): number {
  return reader.stopsOf(container).length - 1
}

/** One of them, from 0. */
export function* readBatch(reader: SegmentReader, container: number, batch: number): ReadingSteps<Batch> {
  const stops = reader.stopsOf(container)
  const [first, start] = stops[batch] as readonly [number, number]
  const [next, end] = stops[batch + 1] as readonly [number, number]
  const text = yield* reader.slice(start, end)
  yield text.length / 4
  const isLast = batch + 2 === stops.length
  const isText = reader.index.containers[container]?.kind === 'text'
  return { first, count: next - first, text: isText || isLast ? text : text.slice(0, text.lastIndexOf(',')) }
}

/** The rows of a batch of a list, or of an object that is a map of records. */
export function batchRows(reader: SegmentReader, container: number, { text }: Batch): JsonValue[] {
  if (reader.index.containers[container]?.kind === 'list') return parseJson(`[${text}]`) as JsonValue[]
  return [...rowsOf({ of: parseJson(`{${text}}`) as JsonObject })]
}

/** Looks at all rows of a table that is a container of its own. */
export function* countRows(reader: SegmentReader, container: number): ReadingSteps<TableShape> {
  const counter = new ShapeCounter()
  for (let number = 0; number < batchCount(reader, container); number++) {
    const batch = yield* readBatch(reader, container, number)
    yield batch.text.length / 2
    for (const row of batchRows(reader, container, batch)) yield workOf(counter.add(row))
  }
  return counter.result()
}
