import { InvalidArgument } from '../core/errors.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { parseJson } from '../core/json-text.ts'
import { countBreaks, countLines } from '../core/lines.ts'
import { paced } from '../core/steps.ts'
import type { TextRows } from '../values/text-table.ts'
import { type Fitted, fitBudget, type Shrink } from './budget.ts'
import { type CountedPageRequest, countedPage, pageTooLarge } from './counted-page.ts'
import { type DenseTable, recordsOf } from './dense.ts'
import { type DenseList, denseListOf, fitPage, layoutOfRows, shownOf, shrinkDensely } from './dense-pages.ts'
import { embeddedJson } from './embedded-json.ts'
import { unitOf } from './items.ts'
import type { PageUnitName } from './layout.ts'
import { type MainPart, mainPartOf } from './main-part.ts'
import { measure, type Ruler, rulerFor, sizeWithin } from './measure.ts'
import { layout, pageOf, SMALLEST_PAGE } from './paginate.ts'
import { shapeWithin } from './shape.ts'
import { type Manner, Shrinker } from './shrink.ts'
import type { SizeMode } from './size.ts'
import type { Source } from './source.ts'
import { type SourceTables, tablesIn } from './tables.ts'
import { TextOutline } from './text-outline.ts'

export { countTokens, loadTokenizer } from '../tokens/tokenizer.ts'
export type { PageUnitName } from './layout.ts'
export { measure, measureText, sizeWithin } from './measure.ts'
export type { Size, SizeMode } from './size.ts'
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
  /** JSON Pointer to the list or text that the pages are of, where that is not all of the value. */
  path?: string
  /** The pages would be one: there is no use in asking for them. */
  isOnePage?: true
  /** About what the pages after this one have together. */
  restSize?: number
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
  const views = await viewsOf(source, request)
  const { shown, main } = views
  const tables = await tablesIn(shown)
  const shape = await shapeWithin(tables.shaped, ruler, request)
  const shrinking = await shrinkerOf(shown, tables, strategy === 'truncate' ? 'truncate' : 'sample')
  const shrink = request.dense ? shrinkDensely(shrinking.shrink) : shrinking.shrink
  const fitted = await paced(fitBudget(shown, shrink, ruler, maxSize - (shape?.size ?? 0)))
  const { outline } = shrinking
  const lines = outline?.linesIn(fitted.json)
  return {
    ...(await part(views, request, fitted, shown.value)),
    ...(main ? { path: main.path } : {}),
    ...(main && (await isOnePage(main.source, ruler, maxSize)) ? { isOnePage: true } : {}),
    ...(shape ? { shape: shape.shape } : {}),
    ...(lines ? { lines } : {}),
    ...(outline && outline.total > 1 ? { totalLines: outline.total } : {}),
  }
}

/** What of a value is looked at. */
interface Views {
  readonly source: Source
  /** The source itself, or the JSON that its text is. */
  readonly shown: Source
  readonly main: MainPart | undefined
  /** What pages are of. */
  readonly paged: Source
  /** What pages are of as a table, where it may be shown as one. */
  readonly dense: DenseList | undefined
}

async function viewsOf(source: Source, { dense }: RenderRequest): Promise<Views> {
  const shown = (await embeddedJson(source)) ?? source
  const main = mainPartOf(shown)
  const paged = main?.source ?? shown
  return { source, shown, main, paged, dense: dense ? denseListOf(paged) : undefined }
}

/** What is left out of a preview may stand beside what the pages would be of. */
async function isOnePage({ json }: Source, ruler: Ruler, maxSize: number): Promise<boolean> {
  return (await paced(ruler.size(json, maxSize))) <= maxSize
}

/** How what is shown is made smaller: a text by its lines, anything else by its parts. */
async function shrinkerOf(
  source: Source,
  { shapes, rows }: SourceTables,
  manner: Manner,
): Promise<{ shrink: Shrink; outline?: TextOutline }> {
  const { value } = source
  if (typeof value === 'string') {
    const outline = await outlineOf(source, value, rows, manner)
    return { shrink: room => outline.show(room), outline }
  }
  const shrinker = new Shrinker(manner, shapes)
  return { shrink: room => shrinker.shrink(value, room) }
}

const outlines = new WeakMap<Source, Partial<Record<Manner, Promise<TextOutline>>>>()

function outlineOf(source: Source, text: string, rows: TextRows | undefined, manner: Manner) {
  const known = outlines.get(source) ?? {}
  outlines.set(source, known)
  known[manner] ??= paced(TextOutline.of(text, rows, manner === 'truncate'))
  return known[manner]
}

async function renderPage(source: Source, ruler: Ruler, request: RenderRequest): Promise<Rendering> {
  const views = await viewsOf(source, request)
  const { page: number = 1, pageSize } = request
  if (pageSize !== undefined) return renderCounted(views, ruler, { ...request, page: number, pageSize })
  const { paged, main, dense } = views
  const rows = dense && (await layoutOfRows(dense, ruler, request))
  const pages = rows ?? (await layout(paged, ruler, request))
  const page = pageOf(rows && dense ? dense.rows : paged, pages, number)
  const value =
    rows && dense ? recordsOf({ columns: dense.columns, rows: page.value as DenseTable['rows'] }) : page.value
  const fitted = await fitPage(value, ruler, request)
  const rendering = await part(views, { ...request, strategy: 'paginate' }, fitted, paged.value)
  return {
    ...rendering,
    page: number,
    totalPages: pages.totalPages,
    restSize: Math.round(rendering.originalSize * page.rest),
    ...(page.unit === undefined ? {} : { pageUnit: page.unit }),
    ...(page.unit === 'lines' ? linesOfPage(String(paged.value), String(page.value), page.start) : {}),
    ...(main ? { path: main.path } : {}),
  }
}

/** A page of exactly `pageSize` items. */
async function renderCounted(
  views: Views,
  ruler: Ruler,
  request: RenderRequest & CountedPageRequest,
): Promise<Rendering> {
  const { paged, main } = views
  const { items } = paged
  const page = await paced(countedPage(items, ruler, request))
  const fitted = await fitPage(page.value, ruler, request)
  if (fitted.size > request.maxSize) throw pageTooLarge(fitted.size, items, page, request)
  const rendering = await part(views, { ...request, strategy: 'paginate' }, fitted, paged.value)
  const unit = unitOf(items.kind)
  return {
    ...rendering,
    page: request.page,
    totalPages: page.totalPages,
    restSize: Math.round(rendering.originalSize * page.rest),
    ...(unit ? { pageUnit: unit } : {}),
    ...(unit === 'lines'
      ? { lines: [page.firstItem + 1, page.firstItem + page.items], totalLines: items.count }
      : {}),
    ...(main ? { path: main.path } : {}),
  }
}

function linesOfPage(text: string, page: string, start: number): Pick<PartRendering, 'lines' | 'totalLines'> {
  const before = countBreaks(text, 0, start)
  return { lines: [before + 1, before + Math.max(1, countLines(page))], totalLines: countLines(text) }
}

/** @param of what is shown a part of */
async function part(
  { source, shown, paged, dense }: Views,
  request: RenderRequest,
  fitted: Fitted,
  of: JsonValue,
): Promise<PartRendering> {
  const original = await measure(dense?.rows ?? source, request.sizeMode)
  const { totalItems } = paged
  return {
    kind: 'part',
    ...shownOf(of, fitted.json),
    strategy: request.strategy,
    originalSize: original.size,
    ...(original.isEstimate ? { originalSizeIsEstimate: true } : {}),
    previewSize: fitted.size,
    ...(shown !== source && shown.json !== source.value ? { reformatted: true } : {}),
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
