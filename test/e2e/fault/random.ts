import { randomInt } from 'node:crypto'

/** Random numbers that a seed brings back (mulberry32: Tommy Ettinger, public domain). */
export class Random {
  #state: number

  constructor(readonly seed: number) {
    this.#state = seed >>> 0
  }

  /** From `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#fraction() * (high - low + 1))
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)] as T
  }

  #fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** FAULT_SEED plays a run again; FAULT_REPEATS makes it longer. */
export const SEED = wholeNumber('FAULT_SEED') ?? randomInt(2 ** 31)

export function repeats(usual: number): number {
  return wholeNumber('FAULT_REPEATS') ?? usual
}

function wholeNumber(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`${name} must be a whole number; got ${text}`)
  return number
}
