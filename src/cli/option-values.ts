import { type Duration, toMilliseconds } from '../core/duration.ts'
import { suggest } from '../core/suggest.ts'
import { usage } from './exit.ts'

/** Reads the text of an option. @throws CommandFailed with what the option takes instead */
type Read<T> = (text: string) => T

/** An option that was left without its text takes the next one for it. */
export function text(option: string): Read<string> {
  return given => {
    if (given.startsWith('-')) throw usage(`${option} needs a value; got '${given}'.`)
    return given
  }
}

/** For an option that may be repeated. */
export function texts(option: string): (given: string, before: string[] | undefined) => string[] {
  const read = text(option)
  return (given, before = []) => [...before, read(given)]
}

export function wholeNumber(option: string, least: number): Read<number> {
  return given => {
    const value = Number(given)
    if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= least) return value
    throw usage(`${option} takes a whole number from ${least}; got '${given}'.`)
  }
}

/** A bare number would be milliseconds in code; on a command line it is more likely a mistake. */
export function time(option: string): Read<Duration> {
  return given => {
    if (/^0$/.test(given)) return 0
    try {
      toMilliseconds(given as Duration, option)
      return given as Duration
    } catch {
      throw usage(`${option} takes a time such as 500ms, 20s, 10m or 1h; got '${given}'.`)
    }
  }
}

/** `never` stays a word: the library takes a null for an option without a value. */
export function timeOrNever(option: string): Read<Duration | 'never'> {
  const read = time(option)
  return given => (given === 'never' ? given : read(given))
}

export function wrongChoice(option: string, given: string, choices: readonly string[]): never {
  const meant = suggest(given, choices)
  throw usage(
    `${option} is one of ${choices.join(', ')}; got '${given}'.${meant ? ` Did you mean ${meant}?` : ''}`,
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

export function size(option: string): Read<number> {
  return given => {
    const [, digits, unit = ''] = /^(\d{1,9})(|kb|mb|gb)$/i.exec(given) ?? []
    const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? 1)
    if (bytes >= 1) return bytes
    throw usage(`${option} takes a size such as 500MB or 2GB; got '${given}'.`)
  }
}
