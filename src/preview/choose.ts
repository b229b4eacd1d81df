/** Which parts of a list or an object are shown. All give indices in ascending order. */

export function fromStart(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}

/** The first ones and the last. */
export function firstAndLast(count: number, total: number): number[] {
  return Array.from({ length: count }, (_, at) => (at > 0 && at === count - 1 ? total - 1 : at))
}

/** About what a mark between two parts takes, in characters. */
const MARK = 28

/**
 * Spread over all, the first and the last among them, and some of the outliers. Short parts come in runs, so that marks between
 * them take no more than a part of the room.
 */
export function spread(count: number, length: number, total: number, outliers: readonly number[]): number[] {
  const odd = count < total ? outliers.slice(0, Math.floor(count / 3)) : []
  const even = count - odd.length
  const runs = Math.max(2, Math.min(even, Math.round((even * (length + 1)) / (2 * MARK))))
  const chosen = new Set(odd)
  for (const index of evenRuns(even, Math.min(runs, even), total)) chosen.add(index)
  return [...chosen].sort((a, b) => a - b)
}

function* evenRuns(count: number, runs: number, total: number): Iterable<number> {
  for (let run = 0, from = 0; run < runs; run++) {
    const to = Math.round(((run + 1) * count) / runs)
    const size = to - from
    // Where the run would begin if it were the only one of its size.
    const start = runs === 1 ? 0 : Math.round((run * (total - size)) / (runs - 1))
    for (let at = 0; at < size; at++) yield Math.min(start + at, total - 1)
    from = to
  }
}
