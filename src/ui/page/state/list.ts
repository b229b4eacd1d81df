import type { Row, RowPage } from '../../api.ts'

/** Which of the stored entries are listed. */
export interface Filter {
  readonly cache?: string
  readonly tool?: string
  readonly status?: Row['status']
  /** In the tool, the label or the reference. */
  readonly find?: string
}

/** The stored entries as far as they are loaded, the newest first. */
export interface List {
  readonly filter: Filter
  readonly rows: readonly Row[]
  /** Where the next page begins; absent at the end, and before the first page. */
  readonly nextCursor?: string
  /** Before the first page is there, an empty list means nothing. */
  readonly isLoaded: boolean
  /** The server had none to list, and none has come or gone since. */
  readonly isBare?: true
  /** Counts what makes pages that are still on their way useless. */
  readonly generation: number
  readonly problem?: string
}

export const EMPTY_LIST: List = { filter: {}, rows: [], isLoaded: false, generation: 0 }

export function isInFlight({ status }: Row): boolean {
  return status === 'pending' || status === 'processing'
}

/** What is known to fit stays until the server has answered. */
export function withFilter(list: List, filter: Filter): List {
  const rows = list.rows.filter(row => belongs(filter, row))
  return { ...EMPTY_LIST, filter, rows, generation: list.generation + 1 }
}

/** The first page replaces what was there. */
export function withPage(list: List, { entries, nextCursor }: RowPage, isFirst: boolean): List {
  const { nextCursor: _, problem: __, isBare: ___, ...rest } = list
  const before = isFirst ? [] : list.rows
  const known = new Set(before.map(({ ref }) => ref))
  const added = entries.filter(row => !known.has(row.ref) && !isInFlight(row))
  return {
    ...rest,
    rows: [...before, ...added],
    isLoaded: true,
    ...(nextCursor === undefined ? {} : { nextCursor }),
    ...(isFirst && entries.length === 0 && nextCursor === undefined ? { isBare: true } : {}),
  }
}

/** What changed takes its place in the list; what runs, was deleted or no longer fits leaves it. */
export function withChanges(list: List, changed: readonly Row[], deleted: readonly string[]): List {
  if (!list.isLoaded || (changed.length === 0 && deleted.length === 0)) return list
  const gone = new Set(deleted)
  const fresh = new Map(changed.map(row => [row.ref, row]))
  const rows: Row[] = []
  for (const row of list.rows) {
    const now = fresh.get(row.ref) ?? row
    fresh.delete(row.ref)
    if (!gone.has(row.ref) && belongs(list.filter, now)) rows.push(now)
  }
  const hasMore = list.nextCursor !== undefined
  for (const row of fresh.values())
    if (!gone.has(row.ref) && belongs(list.filter, row)) insert(rows, row, hasMore)
  const { isBare: _, ...rest } = list
  return { ...rest, rows }
}

function belongs({ cache, tool, status, find }: Filter, row: Row): boolean {
  return (
    !isInFlight(row) &&
    (cache === undefined || row.cache === cache) &&
    (tool === undefined || row.tool === tool) &&
    (status === undefined || row.status === status) &&
    (find === undefined || isFound(find.toLowerCase(), row))
  )
}

function isFound(text: string, { tool = '', label = '', ref }: Row): boolean {
  return [tool, label, ref].some(name => name.toLowerCase().includes(text))
}

/** What is older than all that is loaded comes with a later page. */
function insert(rows: Row[], row: Row, hasMore: boolean): void {
  const place = rows.findIndex(other => other.createdAt <= row.createdAt)
  if (place >= 0) rows.splice(place, 0, row)
  else if (!hasMore) rows.push(row)
}
