import { expect } from 'vitest'
import type { Scene } from './door.ts'
import { madeUp } from './steps.ts'

const ROUNDS = 2_000
const WARM_UP = 500

/** How far from a coin's toss the guess of an observer may be, before it counts as one that knows. */
const TOLERANCE = 0.25

/** A difference that is there shows each time; a busy machine does not. */
const TRIES = 4

/**
 * Asks for what is missing and for what is forbidden by turns, in an order that is drawn, and compares how long the
 * answers took: the probability that one of the one kind took longer than one of the other (AUC) must be near to a half.
 */
export async function missingAndForbidden(scene: Scene, forbidden: readonly string[]): Promise<void> {
  const seen: number[] = []
  for (let tries = 0; tries < TRIES; tries++) {
    const difference = Math.abs((await observe(scene, forbidden)) - 0.5)
    if (difference < TOLERANCE) return
    seen.push(difference)
  }
  expect.fail(`The time of an answer tells: the AUC is off a half by ${seen.join(', ')}.`)
}

async function observe(scene: Scene, forbidden: readonly string[]): Promise<number> {
  const times = { missing: [] as number[], forbidden: [] as number[] }
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const kinds =
      Math.random() < 0.5 ? (['missing', 'forbidden'] as const) : (['forbidden', 'missing'] as const)
    for (const kind of kinds) {
      const refId = kind === 'missing' ? madeUp(scene) : (forbidden[round % forbidden.length] as string)
      const taken = await timeOf(scene, refId)
      if (round >= WARM_UP) times[kind].push(taken)
    }
  }
  return auc(times.missing, times.forbidden)
}

/** Each reference comes as a text that was never looked at, as from a request. */
async function timeOf({ host }: Scene, refId: string): Promise<number> {
  const asked = Buffer.from(refId).toString()
  const begun = process.hrtime.bigint()
  await host.get(asked, { actor: { type: 'agent', id: 'mallory' } }).catch(() => {})
  return Number(process.hrtime.bigint() - begun)
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
