import { InvalidArgument, ValueTooLarge } from '../../core/errors.ts'
import { paced } from '../../core/steps.ts'
import { weightOf, weightSteps } from '../../core/weight.ts'

/** A size in characters of JSON, and in bytes of memory once it is parsed. */
export interface Size {
  readonly length: number
  readonly weight: number
}

/** What values add to the input that they are filled into. */
export interface Cost {
  /** Of what the caller may see. */
  readonly seen: Size
  /** How many places hold a value that the caller may use, but not see. */
  readonly unseen: number
  /** The most that one of those takes. */
  readonly largestUnseen: Size
}

const NONE: Size = { length: 0, weight: 0 }

/** Places for values that the caller may not see. */
const MAX_UNSEEN = 16

export function sizeOf(json: string): Size {
  return { length: json.length, weight: weightOf(json) }
}

/** The same for a text that may be large. */
export async function sizeInSteps(json: string): Promise<Size> {
  return { length: json.length, weight: await paced(weightSteps(json)) }
}

/** @param sees whether the caller may see it */
export function costOf(size: Size, sees: boolean): Cost {
  return sees
    ? { seen: size, unseen: 0, largestUnseen: NONE }
    : { seen: NONE, unseen: 1, largestUnseen: size }
}

export function sumOf(costs: readonly Cost[]): Cost {
  let [seen, unseen, largestUnseen] = [NONE, 0, NONE]
  for (const cost of costs) {
    seen = { length: seen.length + cost.seen.length, weight: seen.weight + cost.seen.weight }
    unseen += cost.unseen
    largestUnseen = {
      length: Math.max(largestUnseen.length, cost.largestUnseen.length),
      weight: Math.max(largestUnseen.weight, cost.largestUnseen.weight),
    }
  }
  return { seen, unseen, largestUnseen }
}

/** The most that one input may take. */
export interface CostLimits {
  /** In characters. */
  readonly maxInputBytes: number
  readonly maxInputMemoryBytes: number
}

/**
 * What the caller may not see is held to limits of its own, which no other part of the input changes: otherwise a few
 * inputs, each a little larger than the last, would measure it.
 *
 * @throws ValueTooLarge, InvalidArgument
 */
export function checkCost({ seen, unseen, largestUnseen }: Cost, limits: CostLimits): void {
  checkUnseenPlaces(unseen)
  checkSize(seen, limits, 1)
  checkSize(largestUnseen, limits, unseen > 1 ? MAX_UNSEEN : 1)
}

/** @throws InvalidArgument */
export function checkUnseenPlaces(unseen: number): void {
  if (unseen <= MAX_UNSEEN) return
  throw new InvalidArgument(
    `The input names private values in more than ${MAX_UNSEEN} places. Use fewer, or have somebody who may see them make one value of them.`,
  )
}

/** @throws ValueTooLarge where they are too large together */
export function checkSizes(sizes: readonly Size[], limits: CostLimits): void {
  checkSize(sumOf(sizes.map(size => costOf(size, true))).seen, limits, 1)
}

function checkSize({ length, weight }: Size, limits: CostLimits, share: number): void {
  const { maxInputBytes, maxInputMemoryBytes } = limits
  const part = share === 1 ? '' : ' One of several private values may have a sixteenth of that.'
  if (length > maxInputBytes / share) {
    throw new ValueTooLarge(
      `With values in the places of its references the input has more than ${maxInputBytes} characters of JSON.${part} Pass less, or raise maxInputBytes.`,
    )
  }
  if (weight > maxInputMemoryBytes / share) {
    throw new ValueTooLarge(
      `With values in the places of its references the input takes more than ${maxInputMemoryBytes} bytes of memory.${part} Pass less, or raise maxInputMemoryBytes.`,
    )
  }
}
