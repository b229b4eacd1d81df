import { sumOfTokens, type TokenCounts } from '../core/token-savings.ts'
import { type HourOfSavings, SAVINGS_KEPT_MS } from './store.ts'

/** What was saved and what it cost, by hour and cache. */
export class MemorySavings {
  readonly #hours = new Map<number, Map<string, TokenCounts>>()

  add(cacheName: string, hour: number, more: TokenCounts): void {
    const caches = this.#hours.get(hour) ?? new Map<string, TokenCounts>()
    const before = caches.get(cacheName)
    caches.set(cacheName, sumOfTokens(before ? [before, more] : [more]))
    this.#hours.set(hour, caches)
  }

  since(from: number): HourOfSavings[] {
    const hours = [...this.#hours].filter(([hour]) => hour >= from).sort(([one], [other]) => one - other)
    return hours.flatMap(([hour, caches]) =>
      [...caches].sort(byName).map(([cacheName, counts]) => ({ cacheName, hour, ...counts })),
    )
  }

  prune(now: number): void {
    for (const hour of this.#hours.keys()) if (hour <= now - SAVINGS_KEPT_MS) this.#hours.delete(hour)
  }

  clear(): void {
    this.#hours.clear()
  }
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1
}
