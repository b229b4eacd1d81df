/** Numbers, sizes and times as people read them. */

const WHOLE = new Intl.NumberFormat('en')
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** `12,345` */
export function countText(count: number): string {
  return WHOLE.format(count)
}

/** `12.3K`, for places that must not grow. */
export function shortCount(count: number): string {
  return Math.abs(count) < 1_000 ? WHOLE.format(Math.round(count)) : SHORT.format(count)
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

/** `48 KB` */
export function bytesText(bytes: number): string {
  let size = bytes
  let unit = 0
  for (; size >= 1000 && unit < UNITS.length - 1; unit++) size /= 1024
  return `${unit === 0 || size >= 10 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long something took, to two figures or so: `340 ms`, `2.1 s`, `3 min 20 s`. */
export function spanText(milliseconds: number): string {
  if (milliseconds < SECOND) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 9.95 * SECOND) return `${(milliseconds / SECOND).toFixed(1)} s`
  return elapsedText(milliseconds)
}

/** A time that goes on, in whole seconds: `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function elapsedText(milliseconds: number): string {
  const rest = Math.max(0, milliseconds)
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)} s`
  if (rest < HOUR) return twoUnits(rest, MINUTE, 'min', SECOND, 's')
  if (rest < DAY) return twoUnits(rest, HOUR, 'h', MINUTE, 'min')
  return twoUnits(rest, DAY, 'd', HOUR, 'h')
}

function twoUnits(rest: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const smalls = Math.floor((rest % large) / small)
  return `${Math.floor(rest / large)} ${largeUnit}${smalls === 0 ? '' : ` ${smalls} ${smallUnit}`}`
}

/** One unit, for lists: `now`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function ageText(milliseconds: number): string {
  const [length, unit] = AGES.find(([each]) => milliseconds >= each) ?? [SECOND, 's']
  return milliseconds < 2 * SECOND ? 'now' : `${Math.floor(milliseconds / length)} ${unit}`
}

const AGES: ReadonlyArray<readonly [number, string]> = [
  [DAY, 'd'],
  [HOUR, 'h'],
  [MINUTE, 'min'],
]

const DIGITS = 8

/** Enough of a reference to tell it from others. */
export function shortRef(ref: string): string {
  const end = ref.lastIndexOf(':') + 1 + DIGITS
  return end < ref.length ? `${ref.slice(0, end)}…` : ref
}

/** What people call an entry. */
export function nameOf({ tool, label, ref }: { tool?: string; label?: string; ref: string }): string {
  return tool ?? label ?? shortRef(ref)
}

/** A cell or a member of a value in one line. Text stays as it is. */
export function cellText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
