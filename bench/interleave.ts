/** One contestant: a single operation, done again and again. */
export type Operation = () => Promise<unknown>

export interface Plan {
  readonly rounds: number
  /** Operations a round, one after the other. */
  readonly batch: number
}

/**
 * Runs the contestants in turn, round by round, so that a noisy neighbour or a warm-up strikes all alike; gives the
 * median milliseconds of one operation of each.
 */
export async function interleave(
  operations: readonly Operation[],
  { rounds, batch }: Plan,
): Promise<number[]> {
  const times: number[][] = operations.map(() => [])
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, operation] of operations.entries()) {
      const took = await timed(operation, batch)
      if (round > 0) times[i]!.push(took / batch)
    }
  }
  return times.map(median)
}

async function timed(operation: Operation, batch: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < batch; i++) await operation()
  return performance.now() - start
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
