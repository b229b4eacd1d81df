import type { HourOfSavings } from '../../stores/store.ts'
import type { Engine } from '../engine.ts'

const HOUR_MS = 3_600_000

/**
 * Adds what answers saved and cost since the last time to the sums in the store, which outlive this process and are one for all of
 * them. What cannot be stored now is stored the next time.
 */
export async function storeSavings({ store, name, clock, savings }: Engine): Promise<void> {
  const grown = savings.takeGrown()
  if (!grown) return
  const now = clock.now()
  try {
    await store.addSavings?.(name, now - (now % HOUR_MS), grown)
  } catch {
    savings.giveBack(grown)
  }
}

/** The sums of this cache, of the hours that began at `since` or later, the oldest first; of all processes on the store. */
export async function savingsSince({ store, name }: Engine, since: Date): Promise<HourOfSavings[]> {
  const hours = (await store.savings?.(since.getTime())) ?? []
  return hours.filter(({ cacheName }) => cacheName === name)
}
