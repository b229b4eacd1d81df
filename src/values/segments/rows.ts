import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { ReadingSteps } from '../../core/steps.ts'
import { workOf } from '../counted-tables.ts'
import { ShapeCounter, type TableShape } from '../shape.ts'
import { rowsOf } from '../tables.ts'
import type { Run, SegmentReader } from './reader.ts'

/** The rows in a run of a list, or of an object that is a map of records. */
export function* rowsIn(reader: SegmentReader, container: number, run: Run): ReadingSteps<JsonValue[]> {
  const parts = yield* reader.partsOf(container, run)
  return Array.isArray(parts) ? parts : [...rowsOf({ of: parts as JsonObject })]
}

/** Hands out all rows of a table that is a container of its own, a run at a time. */
export function* eachRow(
  reader: SegmentReader,
  container: number,
  take: (row: JsonValue) => number,
): ReadingSteps<void> {
  for (let number = 0; number < reader.runCount(container); number++) {
    const run = yield* reader.run(container, number)
    for (const row of yield* rowsIn(reader, container, run)) yield take(row)
  }
}

/** Looks at all rows of such a table. */
export function* countRows(reader: SegmentReader, container: number): ReadingSteps<TableShape> {
  const counter = new ShapeCounter()
  yield* eachRow(reader, container, row => workOf(counter.add(row)))
  return counter.result()
}
