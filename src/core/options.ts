import type { PreviewSettings } from './entry.ts'
import { InvalidArgument } from './errors.ts'
import { hint } from './suggest.ts'

/** @throws InvalidArgument unless `value` is an integer ≥ 1 */
export function checkCount(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgument(`${what} must be an integer of 1 or more; got ${shown(value)}.`)
}

/** The same for a limit, which may be 0. */
export function checkLimit(value: number, what: string): number {
  return value === 0 ? value : checkCount(value, what)
}

/** @throws InvalidArgument unless `value` is one of `choices`, or absent */
export function checkChoice<T extends string>(
  value: T | undefined,
  choices: readonly T[],
  what: string,
): T | undefined {
  if (value === undefined || choices.includes(value)) return value
  throw new InvalidArgument(`${what} is one of ${choices.join(', ')}.`)
}

const PREVIEW: Names<PreviewSettings> = {
  maxSize: true,
  strategy: true,
  inlineLimit: true,
  maxResultCharacters: true,
}

export function checkPreview(preview: PreviewSettings): PreviewSettings {
  checkNames(preview, PREVIEW, 'preview')
  if (preview.maxSize !== undefined) checkCount(preview.maxSize, 'preview.maxSize')
  if (preview.inlineLimit !== undefined) checkLimit(preview.inlineLimit, 'preview.inlineLimit')
  if (preview.maxResultCharacters !== undefined)
    checkCount(preview.maxResultCharacters, 'preview.maxResultCharacters')
  checkChoice(preview.strategy, ['sample', 'truncate', 'paginate'], 'preview.strategy')
  return preview
}

/** A value in an error message: short, on one line, without content that could be secret or huge. */
function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' || value == null
    ? String(value)
    : `a ${typeof value}`
}

/** The names of all options, so that the compiler keeps the list complete. */
export type Names<Options> = { readonly [Name in keyof Required<Options>]: true }

/**
 * A misspelled option would be ignored, and with it what it should have protected.
 * @throws InvalidArgument for an option that there is not
 */
export function checkNames<Options extends object>(
  options: Options,
  names: Names<Options>,
  what: string,
): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgument(`The options of ${what} are an object.`)
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue
    const unknown = name.slice(0, 50)
    throw new InvalidArgument(`${what} has no option '${unknown}'. ${hint(unknown, Object.keys(names))}`)
  }
}

/** The options that were given: an option that is `undefined` must not replace a default. */
export function givenOptions<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options
}

/** The same, of the options with these names. */
export function givenOf<Options extends object, Name extends keyof Options>(
  options: Options,
  names: { readonly [Key in Name]: true },
): Pick<Options, Name> {
  const given: Partial<Options> = {}
  for (const name of Object.keys(options) as Name[])
    if (Object.hasOwn(names, name) && options[name] !== undefined) given[name] = options[name]
  return given as Pick<Options, Name>
}
