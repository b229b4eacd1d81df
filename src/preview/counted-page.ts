import { AnswerTooLarge } from '../core/errors.ts'
import { paced, type ReadingSteps } from '../core/steps.ts'
import { LARGE_VALUE } from '../values/segments/segment-index.ts'
import { type Items, unitOf, valueOfItems } from './items.ts'
import type { Ruler, SizeMode } from './measure.ts'
import { noSuchPage, type Page } from './page.ts'

export interface CountedPageRequest {
  readonly page: number
  readonly pageSize: number
  readonly maxSize: number
  readonly sizeMode: SizeMode
  /** The largest `maxSize` that may be asked for. @defaultValue any */
  readonly largestSize?: number
}

/**
 * The page with the items from `(page - 1) * pageSize`, found without those before it. It is the same for every budget.
 *
 * @throws InvalidArgument where there is no such page; AnswerTooLarge where it is far too large
 */
export function countedPage(source: Items, ruler: Ruler, request: CountedPageRequest): Promise<Page> {
  return paced(pageSteps(source, ruler, request))
}

function* pageSteps(source: Items, ruler: Ruler, request: CountedPageRequest): ReadingSteps<Page> {
  const { page, pageSize, maxSize } = request
  const { kind, count } = source
  const totalPages = Math.max(1, Math.ceil(count / pageSize))
  if (!Number.isInteger(page) || page < 1 || page > totalPages) throw noSuchPage(page, totalPages)
  const firstItem = (page - 1) * pageSize
  const items = Math.min(pageSize, count - firstItem)
  const start = yield* source.itemStart(firstItem)
  const next = yield* source.itemStart(firstItem + items)
  const end = kind === 'text' || next >= source.end ? next : next - 1
  // What is far too large is not read. A table, and JSON without its spaces, may take less than the text.
  if (end - start > Math.max(LARGE_VALUE, 8 * maxSize * ruler.longestUnit)) {
    throw pageTooLarge(Math.ceil((end - start) / ruler.usualUnit), source, { firstItem, items }, request)
  }
  const value = valueOfItems(source, yield* source.slice(start, end))
  const rest = (source.end - end) / Math.max(1, source.end - source.start)
  return { unit: unitOf(kind), value, firstItem, items, rest, totalPages, isEstimate: false }
}

/** Says what would fit. */
export function pageTooLarge(
  size: number,
  { kind }: Items,
  { firstItem, items }: Pick<Page, 'firstItem' | 'items'>,
  { maxSize, sizeMode, largestSize = Number.POSITIVE_INFINITY }: CountedPageRequest,
): AnswerTooLarge {
  const fitting = Math.floor((items * maxSize * 0.9) / size)
  const what = items === 1 ? `part ${firstItem + 1} alone` : `parts ${firstItem + 1} to ${firstItem + items}`
  const unit = unitOf(kind) ?? 'items'
  const choices = [
    ...(fitting > 0 ? [`with a page_size of about ${fitting}`] : []),
    ...(size <= largestSize ? [`with a max_size of ${size} or more, for the same page`] : []),
    fitting > 0
      ? 'without page_size, for as many as fit'
      : 'without page_size: what is too large for a page then comes in slices',
  ]
  return new AnswerTooLarge(
    `This page has ${size} ${sizeMode}s (${unit}: ${what}), more than the ${maxSize} of max_size. Ask ${choices.join(', or ')}.`,
  )
}
