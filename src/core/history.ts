import type { SettledEntry } from './entry.ts'

/** Fewer past runs say too little. */
const ENOUGH_RUNS = 5
const MAX_RUNS = 50
const QUANTILES = 9

/**
 * How long each tool's runs took, as this process saw them. A new entry takes a summary of it along, so that every
 * process gives the same estimate for it.
 */
export class History {
  readonly #durations = new Map<string, number[]>()
  readonly #summaries = new Map<string, readonly number[]>()

  add(entry: SettledEntry): void {
    const { toolName, status, startedAt, completedAt } = entry
    if (status !== 'complete' || toolName === undefined || startedAt === undefined) return
    const durations = this.#durations.get(toolName) ?? []
    durations.push(Math.max(0, completedAt - startedAt))
    if (durations.length > MAX_RUNS) durations.shift()
    this.#durations.set(toolName, durations)
    this.#summaries.delete(toolName)
  }

  /** Evenly spaced quantiles of a tool's durations in milliseconds, ascending; nothing until there are enough. */
  summary(toolName: string): readonly number[] | undefined {
    const durations = this.#durations.get(toolName)
    if (!durations || durations.length < ENOUGH_RUNS) return undefined
    const known = this.#summaries.get(toolName)
    if (known) return known
    const sorted = [...durations].sort((a, b) => a - b)
    const summary = Array.from(
      { length: QUANTILES },
      (_, n) => sorted[Math.round((n * (sorted.length - 1)) / (QUANTILES - 1))] as number,
    )
    this.#summaries.set(toolName, summary)
    return summary
  }
}
