import { parseEntry } from '../core/entry.ts'
import type { RemovedEntry } from './store.ts'

/** What was removed, by its record. A damaged record must keep nobody from removing it: it tells of nothing. */
export function removedEntries(records: readonly string[]): RemovedEntry[] {
  return records.flatMap(record => {
    try {
      return [removedEntry(parseEntry(record))]
    } catch {
      return []
    }
  })
}

export function removedEntry({ refId, namespace, toolName }: RemovedEntry): RemovedEntry {
  return { refId, namespace, ...(toolName === undefined ? {} : { toolName }) }
}
