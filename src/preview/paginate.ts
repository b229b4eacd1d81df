import { InvalidArgument } from '../core/errors.ts'
import { isJsonObject, type JsonValue } from '../core/json.ts'
import { lastFitting, paced, type Steps } from '../core/steps.ts'
import { noSuchPage } from './counted-page.ts'
import type { Layout, PageUnit, PageUnitName } from './layout.ts'
import type { Ruler } from './measure.ts'
import { pageUnits } from './page-units.ts'
import type { SizeMode } from './size.ts'
import type { Source } from './source.ts'

/** With this budget every value has pages: any one character, however escaped, is a page. */
export const SMALLEST_PAGE = 8

/** More would cost much to lay out, and no reader takes as many. */
const MAX_PAGES = 100_000

function tooManyPages(): InvalidArgument {
  return new InvalidArgument(`That would be more than ${MAX_PAGES} pages. Ask with a larger max_size.`)
}

export interface PageRequest {
  maxSize: number
  sizeMode: SizeMode
}

/** The layout for a budget, from the source's memory if it was made before. */
export function layout(source: Source, ruler: Ruler, request: PageRequest): Promise<Layout> {
  const { maxSize, sizeMode } = request
  const key = `${sizeMode} ${maxSize}`
  return source.remember(source.layouts, key, () => paced(layoutSteps(source, ruler, request)))
}

export interface Page {
  value: JsonValue
  unit: PageUnitName | undefined
  /** Where it starts, in the unit's text. */
  start: number
  /** The share of the text that comes after it. */
  rest: number
}

/** One page of a layout, by its number from 1. Shares nothing with the value. */
export function pageOf(source: Source, { unit, bounds, totalPages }: Layout, page: number): Page {
  if (!Number.isInteger(page) || page < 1 || page > totalPages) {
    throw noSuchPage(page, totalPages)
  }
  if (unit === undefined) return { value: source.value, unit, start: 0, rest: 0 }
  const [start = 0, end = 0] = bounds.slice(2 * page - 2, 2 * page)
  const rest = (unit.end - end) / Math.max(1, unit.end - unit.start)
  return { value: unit.page(start, end), unit: unit.name, start, rest }
}

function* layoutSteps(source: Source, ruler: Ruler, request: PageRequest): Steps<Layout> {
  const { maxSize } = request
  const { value } = source
  const isScalar = typeof value !== 'string' && !Array.isArray(value) && !isJsonObject(value)
  if (isScalar && (yield* ruler.size(source.json, maxSize)) <= maxSize) {
    return { unit: undefined, totalPages: 1, bounds: [] }
  }
  for (const unit of pageUnits(source)) {
    const bounds = yield* cut(unit, ruler, maxSize)
    if (bounds) return { unit, totalPages: bounds.length / 2, bounds }
  }
  throw new InvalidArgument(
    `A max_size of ${maxSize} is too small for pages. Ask with a max_size of ${SMALLEST_PAGE} or more.`,
  )
}

/** Fills page after page. Undefined if one part alone is larger than a page. */
function* cut(unit: PageUnit, ruler: Ruler, maxSize: number): Steps<number[] | undefined> {
  const mostParts = Number.POSITIVE_INFINITY
  const bounds: number[] = []
  let expected = maxSize * ruler.usualUnit
  let start = unit.start
  do {
    const json = yield* fillPage(unit, ruler, { start, maxSize, mostParts, expected })
    if (json === undefined) return undefined
    const end = unit.pageEnd(start, json)
    bounds.push(start, end)
    if (bounds.length > 2 * MAX_PAGES) throw tooManyPages()
    expected = json.length
    start = unit.nextStart(end)
  } while (start < unit.end)
  return bounds
}

interface PageFill {
  start: number
  maxSize: number
  mostParts: number
  /** About how long the page's JSON will be. */
  expected: number
}

/** The JSON, without close, of the page that takes as many parts as fit. Undefined if not one fits. */
export function* fillPage(unit: PageUnit, ruler: Ruler, fill: PageFill): Steps<string | undefined> {
  const { start, maxSize, mostParts, expected } = fill
  for (let length = expected + (expected >> 1) + 64; ; length *= 4) {
    const end = Math.min(start + length, unit.end)
    const { json, ends } = unit.window(start, end, mostParts)
    yield json.length / 8
    // Beyond the longest that a page can be, what was not seen cannot fit.
    const more = end < unit.end && json.length <= maxSize * ruler.longestUnit
    if (ends.length === 0) {
      if (end === unit.end && start === end) ends.push(json.length)
      else if (more) continue
      else return undefined
    }
    const sizeUpTo = ruler.beginnings(json, maxSize)
    const fits = function* (parts: number) {
      return (yield* sizeUpTo(ends[parts - 1]!, unit.close)) <= maxSize
    }
    const parts = yield* lastFitting(ends.length, countUpTo(ends, expected), fits)
    if (parts === ends.length && parts < mostParts && more) continue
    return parts === 0 ? undefined : json.slice(0, ends[parts - 1])
  }
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle]! <= limit) low = middle + 1
    else high = middle
  }
  return low
}
