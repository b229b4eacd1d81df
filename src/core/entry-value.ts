import type { AppendedValue, CompleteEntry, Entry, FailedEntry, ValueSegments } from './entry.ts'

/** An entry that has a value beside it, or what stands for one. */
export type ValuedEntry = CompleteEntry | (FailedEntry & { readonly valueBytes: number }) | AppendedView

/** What a task has appended so far, to be read like any value. */
export type AppendedView = Exclude<Entry, CompleteEntry> & {
  readonly valueBytes: number
  readonly segments: ValueSegments
}

export function hasValue(entry: Entry): entry is ValuedEntry {
  return 'valueBytes' in entry && entry.valueBytes !== undefined
}

/** An entry as an encrypted store keeps it: its words are in `sealed`, as base64, and its value is sealed, too. */
export type SealedEntry = Entry & { readonly sealed: string }

export function isSealedEntry(entry: Entry): entry is SealedEntry {
  return typeof (entry as { sealed?: unknown }).sealed === 'string'
}

/** The segments that an entry's value is stored in. */
export function valueSegments(entry: Entry): ValueSegments | undefined {
  return hasValue(entry) ? entry.segments : undefined
}

/** The segments that an entry names: of what its task has appended, or of its value. */
export function segmentsOf(entry: Entry): ValueSegments | undefined {
  return entry.appended ?? valueSegments(entry)
}

export function isAppendedView(entry: Entry): entry is AppendedView {
  return entry.appended !== undefined && valueSegments(entry)?.id === entry.appended.id
}

/** Nothing where the task has appended nothing. */
export function appendedView(entry: Entry): AppendedView | undefined {
  const { appended, status } = entry
  // Lists and texts are no results of MCP, which views are for.
  return appended && status !== 'complete' ? (appendedAsItWas(entry, appended) as AppendedView) : undefined
}

/**
 * The value of an entry as it was when the task had appended so much. Undefined: it has another value by now, or none.
 */
export function appendedAsItWas(entry: Entry, appended: AppendedValue): ValuedEntry | undefined {
  if (segmentsOf(entry)?.id !== appended.id) return undefined
  const { valueBytes, id, count } = appended
  return { ...entry, view: undefined, appended, valueBytes, segments: { id, count } } as ValuedEntry
}
