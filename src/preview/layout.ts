import type { JsonValue } from '../core/json.ts'

/** What pages are made of. `json`: the pages are strings that joined are the value's JSON text. */
export type PageUnitName = 'items' | 'entries' | 'lines' | 'characters' | 'json'

/** One way to cut a value into pages. Positions are indices of `text`. */
export interface PageUnit {
  readonly name: PageUnitName
  readonly text: string
  /** What is cut: from the first page's start to the last page's end. */
  readonly start: number
  readonly end: number
  /** What a page's JSON ends with. */
  readonly close: string
  /** Whether a page holds a number of these, so that `pageSize` can limit it. */
  readonly counted: boolean
  /**
   * The JSON of a page that starts at `start` and takes all up to `end`, without its close, and where in it the
   * page may end.
   */
  window(start: number, end: number, mostEnds: number): { json: string; ends: number[] }
  /** The position where the page ends whose JSON, without close, this is. */
  pageEnd(start: number, json: string): number
  /** Where the page after one that ends here starts. */
  nextStart(end: number): number
  page(start: number, end: number): JsonValue
}

/** Where the pages of a value start and end. A pure function of value, budget and page size. */
export interface Layout {
  /** Undefined where the one page is the value itself and has no parts: a number, true, false, null. */
  readonly unit: PageUnit | undefined
  readonly totalPages: number
  /** Start and end of each page, one after the other. */
  readonly bounds: readonly number[]
}
