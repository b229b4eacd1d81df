import { InvalidArgument } from '../core/errors.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { parseJson } from '../core/json-text.ts'
import { paced } from '../core/steps.ts'
import { type Fitted, fitBudget, fitShrunk } from './budget.ts'
import type { Content } from './content.ts'
import { type CountedPageRequest, countedPage, pageTooLarge } from './counted-page.ts'
import { fitPage, shownOf, shrinkDensely } from './dense-pages.ts'
import { measurePages, type Ruler, rulerFor, type SizeMode, sizeWithin } from './measure.ts'
import { contentOf } from './memory-content.ts'
import { blocksWithin } from './named-blocks.ts'
import type { Page, PageUnitName } from './page.ts'
import { Pages, SMALLEST_PAGE } from './pages.ts'
import { shapeWithin } from './shape.ts'
import type { Source } from './source.ts'

export { countTokens, loadTokenizer } from '../tokens/tokenizer.ts'
export type { Content } from './content.ts'
export { measure, measureText, type Size, type SizeMode, sizeWithin } from './measure.ts'
export type { PageUnitName } from './page.ts'
export { Source } from './source.ts'

/** How a preview is made: some of everything, the beginning, or the first page. */
export type PreviewStrategy = 'sample' | 'truncate' | 'paginate'

export interface RenderRequest {
  /** What the JSON of the answer may take, in the size mode. */
  maxSize: number
  sizeMode: SizeMode
  strategy: PreviewStrategy
  /** Page number, from 1. */
  page?: number
  /** Items, entries or lines of a page: exactly so many, whatever the budget. */
  pageSize?: number
  /** The largest `maxSize` that may be asked for, which an error may name. @defaultValue any */
  largestSize?: number
  /** A list of records may be shown as a table. */
  dense?: boolean
  /** Ends the layout of pages with its reason. */
  signal?: AbortSignal | undefined
}

export interface WholeRendering {
  kind: 'whole'
  value: JsonValue
  /** In tokens: exact, or the UTF-8 bytes where these are within the budget. */
  size: number
  totalItems?: number
}

export interface PartRendering {
  kind: 'part'
  preview: JsonValue
  /** The preview is a table: `{columns, rows}`. */
  isDense?: true
  strategy: PreviewStrategy
  originalSize: number
  originalSizeIsEstimate?: true
  previewSize: number
  /** What the tables of the value are like. */
  shape?: JsonObject
  /** The value is several texts: what each of them is, by the fragment of a reference that names it. */
  parts?: JsonObject
  /** First and last line that are shown of a text, from 1, where they are one run. */
  lines?: readonly [number, number]
  totalLines?: number
  /** The value is a text, and what is shown is the JSON that it is, in a compacter form. */
  reformatted?: true
  /** Items of the list or entries of the object that is shown. */
  totalItems?: number
  page?: number
  totalPages?: number
  totalPagesIsEstimate?: true
  pageUnit?: PageUnitName
  /** The item of a list of whose JSON the page is a slice, from 0. */
  slicedItem?: number
  /** JSON Pointer to the list or text that the pages are of, where that is not all of the value. */
  path?: string
  /** The pages would be one: there is no use in asking for them. */
  isOnePage?: true
  /** About what the pages after this one have together. */
  restSize?: number
}

export type Rendering = WholeRendering | PartRendering

/**
 * What of a value in memory fits a budget: the whole, a preview, or the page that is asked for. It shares nothing with the
 * value, and its JSON never takes more than `maxSize`, by exact count.
 */
export async function render(source: Source, request: RenderRequest): Promise<Rendering> {
  check(request)
  const { sizeMode, maxSize, page } = request
  const size = page === undefined ? await sizeWithin(source.json, sizeMode, maxSize) : undefined
  if (size === undefined) return renderPart(await contentOf(source), request)
  const { totalItems } = source
  return {
    kind: 'whole',
    value: parseJson(source.json),
    size,
    ...(totalItems === undefined ? {} : { totalItems }),
  }
}

/** A preview of a value, or the page that is asked for. @throws InvalidArgument; AnswerTooLarge for a page of `pageSize` items */
export async function renderPart(content: Content, request: RenderRequest): Promise<PartRendering> {
  check(request)
  const ruler = await rulerFor(request.sizeMode)
  const { page, strategy, maxSize } = request
  if (page !== undefined) return renderPage(content, ruler, { ...request, page })
  if (strategy === 'paginate' && maxSize >= SMALLEST_PAGE) {
    return renderPage(content, ruler, { ...request, page: 1 })
  }
  return renderPreview(content, ruler, request)
}

/** What a preview needs to choose from, for each of what its budget usually holds. */
const EXCERPT_SHARE = 2.5

async function renderPreview(content: Content, ruler: Ruler, request: RenderRequest): Promise<PartRendering> {
  const { strategy, dense } = request
  const shape = await shapeWithin(await content.tables(), ruler, request)
  const named = await blocksWithin(await content.blocks(), ruler, request)
  const maxSize = request.maxSize - (shape?.size ?? 0) - (named?.size ?? 0)
  const { value, length, shrink, outline } = await content.excerpt({
    manner: strategy === 'truncate' ? 'truncate' : 'sample',
    characters: Math.ceil(maxSize * ruler.usualUnit * EXCERPT_SHARE),
  })
  const shrinkPart = dense ? shrinkDensely(shrink) : shrink
  const fitting = content.whole
    ? fitBudget(content.whole, shrinkPart, ruler, maxSize)
    : fitShrunk({ value, length }, shrinkPart, ruler, maxSize)
  const fitted = await paced(fitting)
  const lines = outline?.linesIn(fitted.json)
  return {
    ...(await part(content, request, fitted, value)),
    ...((await isOnePage(content, ruler, request)) ? { isOnePage: true } : {}),
    ...(shape ? { shape: shape.shape } : {}),
    ...(named ? { parts: named.parts } : {}),
    ...(lines ? { lines } : {}),
    ...(outline && outline.total > 1 ? { totalLines: outline.total } : {}),
  }
}

/** What is left out of a preview may stand beside what the pages would be of. */
async function isOnePage(
  content: Content,
  ruler: Ruler,
  { maxSize, sizeMode }: RenderRequest,
): Promise<boolean> {
  const { items, path } = content
  if (path === '' || items.end - items.start > maxSize * ruler.longestUnit) return false
  const { size } = await measurePages(content, sizeMode)
  return size <= maxSize
}

async function renderPage(
  content: Content,
  ruler: Ruler,
  request: RenderRequest & { page: number },
): Promise<PartRendering> {
  const { items } = content
  const page = await findPage(content, ruler, request)
  const fitted = await fitPage(page.value, ruler, {
    ...request,
    ...(page.columns ? { columns: page.columns } : {}),
  })
  if (hasPageSize(request) && fitted.size > request.maxSize)
    throw pageTooLarge(fitted.size, items, page, request)
  const { unit, firstItem, totalPages, isEstimate } = page
  const all = await measurePages(content, request.sizeMode, request.dense)
  return {
    ...(await part(content, { ...request, strategy: 'paginate' }, fitted, page.value)),
    page: request.page,
    totalPages,
    ...(isEstimate ? { totalPagesIsEstimate: true } : {}),
    restSize: Math.round(all.size * page.rest),
    ...(unit ? { pageUnit: unit } : {}),
    ...(unit === 'json' && items.kind === 'list' ? { slicedItem: firstItem } : {}),
    ...(items.kind === 'text' && (unit === 'lines' || items.count > 1)
      ? { lines: [firstItem + 1, firstItem + Math.max(1, page.items)], totalLines: items.count }
      : {}),
  }
}

function hasPageSize(
  request: RenderRequest & { page: number },
): request is RenderRequest & CountedPageRequest {
  return request.pageSize !== undefined
}

async function findPage(
  content: Content,
  ruler: Ruler,
  request: RenderRequest & { page: number },
): Promise<Page> {
  const { items } = content
  const { page, maxSize, sizeMode, dense = false } = request
  if (hasPageSize(request)) return countedPage(items, ruler, request)
  const key = `pages ${sizeMode} ${maxSize} ${dense}`
  const pages = await content.remember(key, async () => new Pages(items, ruler, maxSize, dense))
  return pages.page(page, request.signal)
}

/** @param of what is shown a part of */
async function part(
  content: Content,
  request: RenderRequest,
  fitted: Fitted,
  of: JsonValue,
): Promise<PartRendering> {
  const { items, path, isReformatted } = content
  const isTable = request.dense && items.kind === 'list'
  const original = isTable
    ? await measurePages(content, request.sizeMode, request.dense)
    : await content.size(request.sizeMode)
  return {
    kind: 'part',
    ...shownOf(of, fitted.json),
    strategy: request.strategy,
    originalSize: original.size,
    ...(original.isEstimate ? { originalSizeIsEstimate: true } : {}),
    previewSize: fitted.size,
    ...(isReformatted ? { reformatted: true } : {}),
    ...(items.kind === 'list' || items.kind === 'object' ? { totalItems: items.count } : {}),
    ...(path === '' ? {} : { path }),
  }
}

// The page is checked where it is known how many there are.
function check({ maxSize, pageSize }: RenderRequest): void {
  for (const [name, count] of Object.entries({ max_size: maxSize, page_size: pageSize ?? 1 })) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new InvalidArgument(`${name} is ${count}: give a whole number from 1, or leave it out.`)
    }
  }
}
