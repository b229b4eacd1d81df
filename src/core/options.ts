import { InvalidArgument } from './errors.ts'

/** @throws InvalidArgument unless `value` is an integer ≥ 1 */
export function checkCount(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgument(`${what} must be an integer of 1 or more; got ${shown(value)}.`)
}

/** A value in an error message: short, on one line, without content that could be secret or huge. */
function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' || value == null
    ? String(value)
    : `a ${typeof value}`
}
