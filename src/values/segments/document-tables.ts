import type { JsonValue } from '../../core/json.ts'
import type { ReadingSteps } from '../../core/steps.ts'
import { type CountedTable, countTables } from '../counted-tables.ts'
import { type Table, tablesOf } from '../tables.ts'
import type { SegmentReader } from './reader.ts'
import { countRows } from './rows.ts'
import { sampleOf } from './sample.ts'

/** A table of a large value: a container of its own, or small enough to be at hand. */
export interface DocumentTable extends Table {
  /** Its place in the index, where `of` is only a sample of it. */
  readonly container?: number
}

/** Enough to tell what its objects are. */
const LOOK = { characters: 4_000, fromStart: false, wanted: () => [] }

/** The tables of a container, from a sample of it. */
export function* documentTables(reader: SegmentReader, root: number): ReadingSteps<DocumentTable[]> {
  const { value, partial } = yield* sampleOf(reader, root, LOOK)
  return tablesOf(value).map(table => {
    const container = partial.get(table.of as JsonValue)?.container
    return container === undefined ? table : { ...table, container }
  })
}

/** The same with all rows looked at. */
export function* countDocumentTables(reader: SegmentReader, root: number): ReadingSteps<CountedTable[]> {
  const counted: CountedTable[] = []
  for (const { name, path, of, container } of yield* documentTables(reader, root)) {
    if (container === undefined) counted.push(...(yield* countTables([{ name, path, of }])))
    else counted.push({ name, path, shape: yield* countRows(reader, container) })
  }
  return counted
}
