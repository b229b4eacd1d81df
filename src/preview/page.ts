import { InvalidArgument } from '../core/errors.ts'
import type { JsonValue } from '../core/json.ts'

/** What a page holds. `characters`: a slice of one line. `json`: a slice of the JSON of one item, which is larger than a page. */
export type PageUnitName = 'items' | 'entries' | 'lines' | 'characters' | 'json'

export interface Page {
  /** Undefined: the page is a number, true, false or null. */
  readonly unit: PageUnitName | undefined
  readonly value: JsonValue
  /** The first item of which something is in it, from 0, and how many there are. */
  readonly firstItem: number
  readonly items: number
  /** Columns of a table that the page fits its budget as. */
  readonly columns?: readonly string[]
  /** The share of the text that comes after it. */
  readonly rest: number
  readonly totalPages: number
  /** `totalPages` is a guess from the pages that are laid out. */
  readonly isEstimate: boolean
}

export function noSuchPage(page: number, total: number): InvalidArgument {
  const pages = total === 1 ? 'is 1 page' : `are ${total} pages`
  const choice = total === 1 ? 'for page 1' : `for a page from 1 to ${total}`
  return new InvalidArgument(`There is no page ${page}: at this size there ${pages}. Ask ${choice}.`)
}
