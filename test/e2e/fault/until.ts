import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition, never for a time; the deadline is for what hangs, not for what is slow. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  patienceMs = 60_000,
): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await condition()); await sleep(20)) {
    if (Date.now() > end) throw new Error(typeof what === 'string' ? `${what} should be so by now` : what())
  }
}
