import { setTimeout as sleep } from 'node:timers/promises'

/** What the bench of threads runs, imported by this process and by threads. */

export function spin({ ms }: { ms: number }): number {
  let turns = 0
  for (const end = performance.now() + ms; performance.now() < end; ) turns++
  return turns
}

/** So much work, however long it takes. */
export function work({ turns }: { turns: number }): number {
  let sum = 0
  for (let n = 0; n < turns; n++) sum += Math.sqrt(n)
  return sum
}

export const wait = ({ ms }: { ms: number }): Promise<void> => sleep(ms)

export const nothing = (): null => null
