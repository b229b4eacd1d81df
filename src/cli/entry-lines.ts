import { wireEntry } from '../agent/wire-admin.ts'
import type { JsonObject } from '../core/json.ts'
import type { InspectedEntry } from '../inspect/index.ts'
import type { Column } from './table.ts'

/** How entries look in tables and lines: what they are, never what is in them. */

export const ENTRY_COLUMNS: readonly Column[] = [
  { title: 'reference' },
  { title: 'status' },
  { title: 'tool' },
  { title: 'who' },
  { title: 'size', align: 'right' },
  { title: 'age', align: 'right' },
  { title: 'progress' },
]

const BAR_CELLS = 16
/** Enough of a reference to tell it from others, and to give it to a command. */
const SHORT_DIGITS = 12

/** @param isShort for people: the reference by its beginning */
export function entryRow(entry: InspectedEntry, now: number, isShort: boolean): readonly string[] {
  const { refId, status, toolName, label, namespace, startedBy, valueBytes, createdAt } = entry
  return [
    isShort ? shortReference(refId) : refId,
    status,
    toolName ?? label ?? '',
    startedBy ?? namespace,
    valueBytes === undefined ? '' : sizeText(valueBytes),
    timeText(now - createdAt.getTime()),
    progressText(entry, isShort),
  ]
}

export function shortReference(refId: string): string {
  const end = refId.lastIndexOf(':') + 1 + SHORT_DIGITS
  return end < refId.length ? `${refId.slice(0, end)}…` : refId
}

/** How far a task is, and how long it may still take; of one that failed, why. */
export function progressText({ progress, task, errorCode }: InspectedEntry, withBar: boolean): string {
  const { percentage, current, total } = progress ?? {}
  const bar = withBar && percentage !== undefined ? barOf(percentage) : undefined
  const percent = percentage === undefined ? undefined : `${Math.floor(percentage)} %`
  const steps =
    current === undefined ? undefined : total === undefined ? String(current) : `${current}/${total}`
  const eta = task?.etaSeconds === undefined ? undefined : `${timeText(task.etaSeconds * 1000)} to go`
  return [bar, percent, steps, eta, errorCode].filter(word => word !== undefined).join(' ')
}

export function barOf(percentage: number): string {
  const full = Math.round((Math.min(100, Math.max(0, percentage)) / 100) * BAR_CELLS)
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full)
}

const SIZES = ['B', 'KB', 'MB', 'GB', 'TB']

export function sizeText(bytes: number): string {
  let size = bytes
  let unit = 0
  for (; size >= 1000 && unit < SIZES.length - 1; unit++) size /= 1024
  return `${unit === 0 || size >= 10 ? Math.round(size) : size.toFixed(1)} ${SIZES[unit]}`
}

const TIMES: ReadonlyArray<[ms: number, unit: string]> = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
]

export function timeText(ms: number): string {
  const [length, unit] = TIMES.find(([each]) => ms >= each) ?? [1_000, 's']
  return `${Math.floor(Math.max(0, ms) / length)}${unit}`
}

/** For scripts: all that is known of an entry, in the wire's names. */
export function entryJson(entry: InspectedEntry): JsonObject {
  const { cache, startedBy, task } = entry
  return {
    ...wireEntry(entry),
    cache,
    ...(startedBy === undefined ? {} : { started_by: startedBy }),
    ...(task === undefined ? {} : { owner: task.owner }),
    ...(task?.etaSeconds === undefined ? {} : { eta_seconds: task.etaSeconds }),
    ...(task?.retryAt === undefined ? {} : { retry_at: task.retryAt.toISOString() }),
  }
}
