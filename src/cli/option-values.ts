import { type Duration, toMilliseconds } from '../core/duration.ts'
import { suggest } from '../core/suggest.ts'
import { usage } from './exit.ts'

export function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
  throw usage(`${option} takes a whole number from ${least}; got '${text}'.`)
}

/** A bare number would be milliseconds in code; on a command line it is more likely a mistake. */
export function time(option: string, text: string): Duration {
  if (/^0$/.test(text)) return 0
  try {
    toMilliseconds(text as Duration, option)
    return text as Duration
  } catch {
    throw usage(`${option} takes a time such as 500ms, 20s, 10m or 1h; got '${text}'.`)
  }
}

export function wrongChoice(option: string, text: string, choices: readonly string[]): never {
  const meant = suggest(text, choices)
  throw usage(
    `${option} is one of ${choices.join(', ')}; got '${text}'.${meant ? ` Did you mean ${meant}?` : ''}`,
  )
}

export function checked<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw usage((error as Error).message)
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

export function size(option: string, text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})(|kb|mb|gb)$/i.exec(text) ?? []
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? 1)
  if (bytes >= 1) return bytes
  throw usage(`${option} takes a size such as 500MB or 2GB; got '${text}'.`)
}
