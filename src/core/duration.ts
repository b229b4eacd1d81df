import { InvalidArgument } from './errors.ts'

/** Milliseconds, or a string such as `'250ms'`, `'5s'`, `'10m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A duration in milliseconds. `what` names the option in the error. */
export function toMilliseconds(duration: Duration, what: string): number {
  const match =
    typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration.trim()) : undefined
  const ms = match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : duration
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) {
    throw new InvalidArgument(
      `${what} must be milliseconds (a number ≥ 0) or a string such as '500ms', '5s', '10m', '1h', '7d'; got ${JSON.stringify(duration)}.`,
    )
  }
  return ms
}

/** The same, where `null` means never (kept as `undefined`). */
export function toLimit(duration: Duration | null, what: string): number | undefined {
  return duration === null ? undefined : toMilliseconds(duration, what)
}
