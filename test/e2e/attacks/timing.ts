import { expect } from 'vitest'
import type { Scene } from './door.ts'
import { madeUp } from './steps.ts'

/** The part of an answer's time that may depend on whether the reference exists. */
const TOLERANCE = 0.15

/** How surely a difference is one of the kinds, and no luck: in standard deviations of a coin's tosses. */
const SURE = 4

/** A difference that is there shows each time. */
const TRIES = 4

/** How an observer asks, and how often. */
export interface Observer {
  readonly pairs: number
  ask(refId: string): Promise<unknown>
}

/**
 * Asks for what is missing and for what is forbidden, one right after the other, in an order that is drawn. If the kind made
 * no difference, each of the two would be the slower one as often as a coin shows heads, whatever the load. What is surely no
 * luck must still be large enough to be of use: the median of the differences, which outliers do not move.
 */
export async function missingAndForbidden(
  scene: Scene,
  forbidden: readonly string[],
  observer: Observer,
): Promise<void> {
  const missing = forbidden.map(() => madeUp(scene))
  const seen: number[] = []
  for (let tries = 0; tries < TRIES; tries++) {
    const difference = await observe(missing, forbidden, observer)
    if (difference === undefined || Math.abs(difference) < TOLERANCE) return
    seen.push(difference)
  }
  expect.fail(`The time of an answer tells: what exists takes longer by ${seen.join(', ')} of it.`)
}

/** By which part of the time of an answer it takes longer where the reference exists; nothing where that may be luck. */
async function observe(
  missing: readonly string[],
  forbidden: readonly string[],
  { pairs, ask }: Observer,
): Promise<number | undefined> {
  const warmUp = pairs / 4
  const times: number[] = []
  const differences: number[] = []
  for (let pair = 0; pair < pairs + warmUp; pair++) {
    const at = pair % forbidden.length
    const taken = { missing: 0, forbidden: 0 }
    const kinds =
      Math.random() < 0.5 ? (['missing', 'forbidden'] as const) : (['forbidden', 'missing'] as const)
    for (const kind of kinds) taken[kind] = await timeOf(ask, { missing, forbidden }[kind][at] as string)
    if (pair < warmUp) continue
    times.push(taken.missing, taken.forbidden)
    differences.push(taken.forbidden - taken.missing)
  }
  const longer = differences.filter(difference => difference > 0).length
  if (Math.abs(longer - pairs / 2) < (SURE * Math.sqrt(pairs)) / 2) return undefined
  return median(differences) / median(times)
}

/** Each reference comes as a text that was never looked at, as from a request. */
async function timeOf(ask: Observer['ask'], refId: string): Promise<number> {
  const asked = Buffer.from(refId).toString()
  const begun = process.hrtime.bigint()
  await ask(asked)
  return Number(process.hrtime.bigint() - begun)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number
}
