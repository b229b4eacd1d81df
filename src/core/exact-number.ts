/**
 * A number that JavaScript would change: `12345678901234567890`, `0.50`, `1e400`, `-0`. It keeps the text it came as, and
 * stands among values in the place of a number. It computes like one (`valueOf`), as near as a double comes.
 */
export class ExactNumber {
  constructor(
    /** A number of JSON, to the last digit. */
    readonly source: string,
  ) {}

  valueOf(): number {
    return Number(this.source)
  }

  toString(): string {
    return this.source
  }

  /** Plain `JSON.stringify` writes the nearest double. */
  toJSON(): number | string {
    if (!marking) return Number(this.source)
    marked++
    return MARK + this.source
  }
}

/** What is a number in JSON, as a number to compute with. */
export function toNumber(value: unknown): number | undefined {
  if (value instanceof ExactNumber) return value.valueOf()
  return typeof value === 'number' ? value : undefined
}

/** `JSON.stringify` cannot write digits, but strings, which are then replaced. */
const MARK = 'exact-number:'
/** Whether a text with marks is being written, and how many numbers it has marked. */
let marking = false
let marked = 0

/** How `stringifyMarked` writes an exact number: the digits are the group. */
export const MARKED_NUMBER = /"exact-number:([-+.\deE]+)"/g

/**
 * JSON with a string in the place of each exact number, and how many there are. No text where the value is nested deeper
 * than the engine's stack.
 */
export function stringifyMarked(value: unknown): {
  readonly json: string | undefined
  readonly marked: number
} {
  marking = true
  marked = 0
  try {
    const json = JSON.stringify(value) ?? 'null'
    return { json, marked }
  } catch (error) {
    if (error instanceof RangeError) return { json: undefined, marked }
    throw error
  } finally {
    marking = false
  }
}
