import { InvalidArgument, StoreFull, ValueTooLarge } from '../core/errors.ts'

/** The most that a store keeps. */
export interface StoreQuota {
  readonly maxEntries: number
  /** Of inputs and values, as they are stored. */
  readonly maxBytes: number
}

/** A later use of an entry within this time need not be written down. */
export const USE_NOTED_EVERY_MS = 10 * 60_000

/** @throws InvalidArgument when a bound is not an integer of at least 1 */
export function checkQuota({ maxEntries, maxBytes }: StoreQuota): StoreQuota {
  return { maxEntries: checkBound(maxEntries, 'maxEntries'), maxBytes: checkBound(maxBytes, 'maxBytes') }
}

function checkBound(bound: number, name: string): number {
  if (Number.isSafeInteger(bound) && bound >= 1) return bound
  throw new InvalidArgument(`${name} must be an integer of at least 1; got ${bound}.`)
}

/** @throws ValueTooLarge when an entry with so many bytes has no room even in an empty store */
export function checkFitsQuota(bytes: number, { maxBytes }: StoreQuota): void {
  if (bytes <= maxBytes) return
  throw new ValueTooLarge(
    `${bytes} bytes can never fit into a store of ${maxBytes} (maxBytes). Store less, or raise maxBytes.`,
  )
}

/** Why a segment is refused when only tasks in flight and values that are being written take the room. */
export function fullOfWork({ maxBytes }: StoreQuota): StoreFull {
  return new StoreFull(
    `The store has reached its ${maxBytes} bytes (maxBytes) with tasks in flight and values that are being written, which never make room. Wait for them, or raise maxBytes.`,
  )
}
