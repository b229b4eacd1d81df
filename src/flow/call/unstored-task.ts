import type { Entry } from '../../core/entry.ts'
import type { OnChange, PayloadChanges } from '../../stores/store.ts'

/** A task whose entry is not stored yet, and may never be. */
export interface UnstoredTask {
  entry: Entry
  value: UnstoredValue
  readonly input: () => Promise<Uint8Array>
  /** The segments that were staged, by value and position. */
  readonly segments: Map<string, Uint8Array[]>
  readonly watchers: Set<Watcher>
  /** Somebody may come back for it: it is stored as soon as the store can be used. */
  isWanted: boolean
  storing: Promise<void> | undefined
  cancelTimer: () => void
}

/** What is written with the entry, when it is stored. */
export interface UnstoredValue {
  readonly value?: Uint8Array | undefined
  readonly index?: Uint8Array | undefined
}

export interface Watcher {
  readonly onChange: OnChange
  stop: () => void
}

export function withChanges(value: UnstoredValue, changes: PayloadChanges = {}): UnstoredValue {
  return {
    ...value,
    ...('value' in changes ? { value: changes.value } : {}),
    ...('index' in changes ? { index: changes.index } : {}),
  }
}

export function weightOf({ value, segments }: UnstoredTask): number {
  const staged = [...segments.values()].flat()
  return [value.value, value.index, ...staged].reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0)
}

/** Another attempt follows, or a guard showed up: the caller may not be able to see the result. */
export function isNeeded(before: Entry, after: Entry): boolean {
  const isPutOff = after.status === 'pending' && after.retryAt !== undefined
  return isPutOff || (after.derivedFrom?.length ?? 0) > (before.derivedFrom?.length ?? 0)
}
