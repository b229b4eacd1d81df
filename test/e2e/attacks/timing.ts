import { expect } from 'vitest'
import type { Scene } from './door.ts'
import { madeUp } from './steps.ts'

const ROUNDS = 4_000
const WARM_UP = 500

/** How far from a coin's toss the best guess of an observer may be, before it counts as one that knows. */
const TOLERANCE = 0.2

/**
 * Asks for what is missing and for what is forbidden by turns, in an order that is drawn, and compares how long the
 * answers took: the probability that one of the one kind took longer than one of the other (AUC) must be near to a half.
 */
export async function missingAndForbidden(scene: Scene, forbidden: string): Promise<void> {
  const actor = { type: 'agent', id: 'mallory' } as const
  const time = async (refId: string) => {
    const begun = process.hrtime.bigint()
    await scene.host.get(refId, { actor }).catch(() => {})
    return Number(process.hrtime.bigint() - begun)
  }
  const times = { missing: [] as number[], forbidden: [] as number[] }
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const kinds =
      Math.random() < 0.5 ? (['missing', 'forbidden'] as const) : (['forbidden', 'missing'] as const)
    for (const kind of kinds) {
      const taken = await time(kind === 'missing' ? madeUp(scene) : forbidden)
      if (round >= WARM_UP) times[kind].push(taken)
    }
  }
  expect(Math.abs(auc(times.missing, times.forbidden) - 0.5)).toBeLessThan(TOLERANCE)
}

/** The Mann-Whitney statistic, as the share of pairs in which the first is the larger one; half for equal ones. */
function auc(first: readonly number[], second: readonly number[]): number {
  const sorted = [...second].sort((a, b) => a - b)
  const below = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const goes = orEqual ? sorted[middle]! <= value : sorted[middle]! < value
      if (goes) low = middle + 1
      else high = middle
    }
    return low
  }
  const wins = first.reduce((sum, value) => sum + (below(value, false) + below(value, true)) / 2, 0)
  return wins / (first.length * second.length)
}
