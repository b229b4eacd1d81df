import type { Progress } from './entry.ts'

/**
 * Seconds until the task is done, from how long its share so far took:
 * `elapsed / current × (total − current)`. Absent where there is no total, no progress, or current is 0;
 * otherwise finite and ≥ 0, past the total included.
 */
export function etaSeconds(
  progress: Progress | undefined,
  startedAt: number,
  now: number,
): number | undefined {
  const { current, total } = progress ?? {}
  if (current === undefined || total === undefined || current <= 0 || total <= 0) return undefined
  const elapsed = Math.max(0, now - startedAt) / 1000
  const remaining = Math.max(0, total - current)
  const eta = (elapsed / current) * remaining
  return Number.isFinite(eta) ? Math.round(eta * 10) / 10 : undefined
}
