import type { Changes, Overview, Row, RowPage, Size } from '../../api.ts'
import { EMPTY_LIST, type Filter, isInFlight, type List, withChanges, withFilter, withPage } from './list.ts'
import type { Sighting } from './progress.ts'

/** All that the page knows, but for the opened reference. One function changes it: `reduce`. */
export interface Model {
  readonly connection: Connection
  readonly overview?: Overview
  /** In flight, the oldest first, and what has just ended. */
  readonly tasks: readonly Task[]
  /** How often all was loaded: at the start, and when something may have been missed. */
  readonly loads: number
  readonly list: List
  readonly sizes: ReadonlyMap<string, Size>
}

/**
 * `stale`: the server answers, but its store does not. `refused`: it answers, and will not show anything until somebody does something
 * about it.
 */
export type Connection =
  | { readonly state: 'connecting' | 'live' }
  | { readonly state: 'away' | 'stale' | 'refused'; readonly why: string }

export interface Task extends Sighting {
  /** It has ended, and stays in sight until then. */
  readonly leavesAt?: number
}

export type ModelEvent =
  | { readonly type: 'connection'; readonly connection: Connection }
  | { readonly type: 'overview'; readonly overview: Overview }
  | { readonly type: 'tasks'; readonly tasks: readonly Row[]; readonly now: number }
  | { readonly type: 'changes'; readonly changes: Pick<Changes, 'changed' | 'deleted'>; readonly now: number }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'filter'; readonly filter: Filter }
  | {
      readonly type: 'page'
      readonly page: RowPage
      readonly isFirst: boolean
      readonly generation: number
    }
  | { readonly type: 'page failed'; readonly problem: string; readonly generation: number }
  | { readonly type: 'sizes'; readonly sizes: readonly Size[] }

export const EMPTY_MODEL: Model = {
  connection: { state: 'connecting' },
  tasks: [],
  loads: 0,
  list: EMPTY_LIST,
  sizes: new Map(),
}

/** How long a task that has ended says how it ended. */
export const LINGER_MS = 4_000

export function reduce(model: Model, event: ModelEvent): Model {
  switch (event.type) {
    case 'connection':
      return { ...model, connection: event.connection }
    case 'overview':
      return { ...model, overview: event.overview }
    case 'tasks':
      return { ...model, loads: model.loads + 1, tasks: reloaded(model.tasks, event.tasks, event.now) }
    case 'changes':
      return changed(model, event.changes, event.now)
    case 'tick':
      return ticked(model, event.now)
    case 'filter':
      return { ...model, list: withFilter(model.list, event.filter) }
    case 'page':
      if (event.generation !== model.list.generation) return model
      return { ...model, list: withPage(model.list, event.page, event.isFirst) }
    case 'page failed':
      if (event.generation !== model.list.generation) return model
      return { ...model, list: { ...model.list, problem: event.problem } }
    case 'sizes':
      return {
        ...model,
        sizes: new Map([...model.sizes, ...event.sizes.map(size => [size.ref, size] as const)]),
      }
  }
}

function reloaded(before: readonly Task[], rows: readonly Row[], now: number): readonly Task[] {
  const known = new Set(rows.map(({ ref }) => ref))
  const leaving = before.filter(task => task.leavesAt !== undefined && !known.has(task.row.ref))
  return [...leaving, ...rows.map(row => ({ row, seenAt: now }))]
}

function changed(
  model: Model,
  { changed, deleted }: Pick<Changes, 'changed' | 'deleted'>,
  now: number,
): Model {
  const sizes = new Map(model.sizes)
  // A value is never replaced but by another run.
  for (const { ref, status } of changed) if (status !== 'complete') sizes.delete(ref)
  for (const ref of deleted) sizes.delete(ref)
  return {
    ...model,
    sizes,
    tasks: withTasks(model.tasks, changed, deleted, now),
    list: withChanges(model.list, changed, deleted),
  }
}

function withTasks(
  tasks: readonly Task[],
  changed: readonly Row[],
  deleted: readonly string[],
  now: number,
): readonly Task[] {
  const gone = new Set(deleted)
  const fresh = new Map(changed.map(row => [row.ref, row]))
  const kept = tasks.flatMap(task => {
    const row = fresh.get(task.row.ref)
    fresh.delete(task.row.ref)
    if (gone.has(task.row.ref)) return []
    return row === undefined ? [task] : [seen(row, now)]
  })
  const started = [...fresh.values()].filter(row => isInFlight(row) && !gone.has(row.ref))
  return [...kept, ...started.map(row => seen(row, now))]
}

function seen(row: Row, now: number): Task {
  return isInFlight(row) ? { row, seenAt: now } : { row, seenAt: now, leavesAt: now + LINGER_MS }
}

/** The same model where nobody has to leave, so that nothing is drawn again. */
function ticked(model: Model, now: number): Model {
  const tasks = model.tasks.filter(({ leavesAt }) => leavesAt === undefined || leavesAt > now)
  return tasks.length === model.tasks.length ? model : { ...model, tasks }
}
