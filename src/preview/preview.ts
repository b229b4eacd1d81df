import { InvalidArgument } from '../core/errors.ts'
import type { JsonValue } from '../core/json.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { paced } from '../core/steps.ts'
import { type Fitted, fitBudget } from './budget.ts'
import { embeddedJson } from './embedded-json.ts'
import type { Layout, PageUnitName } from './layout.ts'
import { measure, type Ruler, rulerFor, sizeWithin } from './measure.ts'
import { layout, pageOf, SMALLEST_PAGE } from './paginate.ts'
import { sample } from './sample.ts'
import type { SizeMode } from './size.ts'
import type { Source } from './source.ts'
import { truncate } from './truncate.ts'

export { countTokens, loadTokenizer } from '../tokens/tokenizer.ts'
export type { PageUnitName } from './layout.ts'
export { measure, sizeWithin } from './measure.ts'
export type { Size, SizeMode } from './size.ts'
export { Source } from './source.ts'

/** How a preview is made: evenly spaced items, the beginning, or the first page. */
export type PreviewStrategy = 'sample' | 'truncate' | 'paginate'

export interface RenderRequest {
  /** What the JSON of the answer may take, in the size mode. */
  maxSize: number
  sizeMode: SizeMode
  strategy: PreviewStrategy
  /** Page number, from 1. */
  page?: number
  /** Items, entries or lines that a page has at most. */
  pageSize?: number
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
  strategy: PreviewStrategy
  originalSize: number
  originalSizeIsEstimate?: true
  previewSize: number
  /** Items of the list or entries of the object that is shown. */
  totalItems?: number
  page?: number
  totalPages?: number
  pageUnit?: PageUnitName
}

export type Rendering = WholeRendering | PartRendering

/**
 * What of a value fits a budget: the whole, a preview, or the page that is asked for. It shares nothing with the
 * value, and its JSON never takes more than `maxSize`, by exact count.
 */
export async function render(source: Source, request: RenderRequest): Promise<Rendering> {
  check(request)
  const { sizeMode, maxSize } = request
  if (request.page !== undefined) return renderPage(source, await rulerFor(sizeMode), request)
  const size = await sizeWithin(source.json, sizeMode, maxSize)
  if (size === undefined) return preview(source, await rulerFor(sizeMode), request)
  const { totalItems } = source
  return {
    kind: 'whole',
    value: parseJson(source.json),
    size,
    ...(totalItems === undefined ? {} : { totalItems }),
  }
}

async function preview(source: Source, ruler: Ruler, request: RenderRequest): Promise<Rendering> {
  const { strategy, maxSize } = request
  if (strategy === 'paginate' && maxSize >= SMALLEST_PAGE) return renderPage(source, ruler, request)
  const shown = (await embeddedJson(source))?.source ?? source
  const fitted = await paced(fitBudget(shown, ruler, maxSize, strategy === 'sample' ? sample : truncate))
  return part(source, shown, request, fitted)
}

async function renderPage(source: Source, ruler: Ruler, request: RenderRequest): Promise<Rendering> {
  const embedded = await embeddedJson(source)
  const shown = embedded?.spelledAlike ? embedded.source : source
  const pages: Layout = await layout(shown, ruler, request)
  const { page = 1 } = request
  const { value, unit } = pageOf(shown, pages, page)
  const json = stringifyJson(value)
  const size = await paced(ruler.size(json))
  return {
    ...(await part(source, shown, { ...request, strategy: 'paginate' }, { json, size })),
    page,
    totalPages: pages.totalPages,
    ...(unit === undefined ? {} : { pageUnit: unit }),
  }
}

/** `shown` is the source itself, or the JSON that its text is. */
async function part(
  source: Source,
  shown: Source,
  request: RenderRequest,
  fitted: Fitted,
): Promise<PartRendering> {
  const original = await measure(source, request.sizeMode)
  const { totalItems } = shown
  return {
    kind: 'part',
    preview: parseJson(fitted.json),
    strategy: request.strategy,
    originalSize: original.size,
    ...(original.isEstimate ? { originalSizeIsEstimate: true } : {}),
    previewSize: fitted.size,
    ...(totalItems === undefined ? {} : { totalItems }),
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
