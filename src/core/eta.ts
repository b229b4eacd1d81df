import type { Progress } from './entry.ts'

/**
 * Seconds until the task is done: what is left over the speed, which is `current / elapsed` or, where speed has a
 * trend, that of late (`pace`, per millisecond; see `core/pace.ts`). Absent where there is no total, no progress, or
 * current is 0; otherwise finite and ≥ 0, past the total included.
 */
export function etaSeconds(
  progress: Progress | undefined,
  elapsedMs: number,
  pace?: number,
): number | undefined {
  const { current = 0, total = 0 } = progress ?? {}
  if (current <= 0 || total <= 0) return undefined
  const speed = pace ?? current / Math.max(0, elapsedMs)
  return inSeconds(Math.max(0, total - current) / speed)
}

/**
 * An estimate for a task that says nothing of itself, from how long earlier runs of the same tool took: the median
 * of those that took longer than this one already has, minus what has passed. Absent when this one outlasts them all.
 *
 * @param durations milliseconds, ascending
 */
export function etaFromHistory(
  durations: readonly number[] | undefined,
  elapsedMs: number,
): number | undefined {
  const longer = durations?.filter(duration => duration > elapsedMs) ?? []
  const median = longer[Math.floor((longer.length - 1) / 2)]
  return median === undefined ? undefined : inSeconds(median - elapsedMs)
}

function inSeconds(ms: number): number | undefined {
  const seconds = Math.round(ms / 100) / 10
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}
