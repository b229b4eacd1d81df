import { InvalidArgument } from './errors.ts'

/** Milliseconds, or a string such as `'250ms'`, `'5s'`, `'10m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A thousand years: any moment that is so far off still is a valid Date. */
const MAX_DURATION_MS = 365_000 * UNIT_MS.d

/**
 * A duration in milliseconds. `what` names the option in the error.
 * @throws InvalidArgument for what is no duration, is negative, or is longer than a thousand years
 */
export function toMilliseconds(duration: Duration, what: string): number {
  const match =
    typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration.trim()) : undefined
  const ms = match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : duration
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) {
    throw new InvalidArgument(
      `${what} must be milliseconds (a number ≥ 0) or a string such as '500ms', '5s', '10m', '1h', '7d'; got ${shown(duration)}.`,
    )
  }
  if (ms > MAX_DURATION_MS) {
    throw new InvalidArgument(
      `${what} must be at most 1000 years (365000d); got ${shown(duration)}. Where the option takes null, null means never.`,
    )
  }
  return ms
}

/** The same for what would make no sense at 0. @throws InvalidArgument also for 0 */
export function toPositiveMilliseconds(duration: Duration, what: string): number {
  const ms = toMilliseconds(duration, what)
  if (ms > 0) return ms
  throw new InvalidArgument(
    `${what} must be longer than 0. Where the option takes null, null means no limit.`,
  )
}

/** A duration where `null` means never (kept as `undefined`). */
export function toLimit(duration: Duration | null, what: string): number | undefined {
  return duration === null ? undefined : toMilliseconds(duration, what)
}

/** What was given instead of a duration, short and safe to print. */
function shown(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given.slice(0, 40))
  return typeof given === 'number' || given === undefined ? String(given) : `a value of type ${typeof given}`
}
