import type { JsonObject, JsonValue } from '../../core/json.ts'
import { setMember } from '../../core/json-text.ts'
import type { ReadingSteps } from '../../core/steps.ts'
import { type CountedTable, countTables } from '../counted-tables.ts'
import { isRecordMap, MOST_MEMBERS, PROBED_KEYS, type Table, tablesOf } from '../tables.ts'
import type { SegmentReader } from './reader.ts'
import { countRows } from './rows.ts'
import type { Container } from './segment-index.ts'

/** A table of a large value: a container of its own, or small enough to be at hand. */
export interface DocumentTable extends Table {
  /** Its place in the index, where `of` only stands in for it. */
  readonly container?: number
}

/** The tables of a container: the same as those of the value that it holds. What is large in it is not read for them. */
export function* documentTables(reader: SegmentReader, root: number): ReadingSteps<DocumentTable[]> {
  const skeleton = new Skeleton(reader)
  const value = yield* skeleton.of(root)
  return tablesOf(value).map(table => {
    const container = skeleton.standIns.get(table.of)
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

/** A value with an empty list in the place of each large list, an empty text for a text, and the first records of a large map. */
class Skeleton {
  readonly standIns = new Map<JsonValue, number>()

  constructor(private readonly reader: SegmentReader) {}

  *of(container: number): ReadingSteps<JsonValue> {
    const { kind, count } = this.reader.index.containers[container] as Container
    if (kind === 'text' || kind === 'string') return ''
    if (kind === 'list') {
      const list: JsonValue[] = []
      this.standIns.set(list, container)
      return list
    }
    const first = yield* this.#members(container, PROBED_KEYS)
    if (isRecordMap(first)) {
      this.standIns.set(first, container)
      return first
    }
    return count <= PROBED_KEYS ? first : yield* this.#members(container, MOST_MEMBERS + 1)
  }

  *#members(container: number, most: number): ReadingSteps<JsonObject> {
    const { reader } = this
    const members: JsonObject = {}
    let left = most
    for (let number = 0; number < reader.runCount(container) && left > 0; number++) {
      const run = yield* reader.run(container, number)
      if ('child' in run) {
        setMember(members, reader.keyOf(run.child), yield* this.of(run.child))
        left--
        continue
      }
      for (const [key, member] of Object.entries(yield* reader.partsOf(container, run))) {
        if (left-- === 0) break
        setMember(members, key, member)
      }
    }
    return members
  }
}
