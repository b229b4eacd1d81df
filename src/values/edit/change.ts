import { cutText } from '../../core/cut-text.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'

/** A changed place. */
export interface Change {
  /** As a fragment of a reference: `#/rows/17/2`, or `#L312` of a text. */
  readonly at: string
  /** Where it was moved or copied from. */
  readonly from?: string
  /** What stood there: JSON where that is short, else the beginning of its text. Absent: nothing. */
  readonly before?: JsonValue
  /** The same of what stands there. */
  readonly after?: JsonValue
}

const LONGEST_SHOWN = 160

/** JSON as it is shown of a change. */
export function shownJson(json: string | undefined): JsonValue | undefined {
  if (json === undefined) return undefined
  return json.length <= LONGEST_SHOWN ? parseJson(json) : cutText(json, LONGEST_SHOWN)
}

const CONTEXT = 60

/** A replaced piece of a text with what stands around it in its lines, before and after. */
export function shownReplacement(
  text: string,
  start: number,
  length: number,
  replacement: string,
): Pick<Change, 'before' | 'after'> {
  const end = start + length
  const left = text.slice(Math.max(0, start - CONTEXT), start)
  const right = text.slice(end, end + CONTEXT)
  const lead = left.slice(left.lastIndexOf('\n') + 1)
  const newline = right.search(/\r?\n/)
  const rest = newline < 0 ? right : right.slice(0, newline)
  const found = text.slice(start, Math.min(end, start + LONGEST_SHOWN + 1))
  return {
    before: cutText(lead + found + (length > LONGEST_SHOWN ? '' : rest), LONGEST_SHOWN),
    after: cutText(lead + replacement + (replacement.length > LONGEST_SHOWN ? '' : rest), LONGEST_SHOWN),
  }
}
