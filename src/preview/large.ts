import type { JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { paced, type ReadingSteps } from '../core/steps.ts'
import type { CountedTable } from '../values/counted-tables.ts'
import type { Sample, SampleWish } from '../values/segments/sample.ts'
import type { LineSample } from '../values/segments/sample-lines.ts'
import type { TableShape } from '../values/shape.ts'
import { tablesOf } from '../values/tables.ts'
import { type Fitted, fitShrunk } from './budget.ts'
import { type CountedPageRequest, countedPage, noSuchPage, pageTooLarge } from './counted-page.ts'
import { fitPage, shownOf, shrinkDensely } from './dense-pages.ts'
import { type Items, unitOf } from './items.ts'
import { type LargePage, LargePages } from './large-pages.ts'
import { type Ruler, rulerFor } from './measure.ts'
import type { PartRendering, RenderRequest } from './preview.ts'
import { shapeWithin } from './shape.ts'
import { Shrinker } from './shrink.ts'
import type { Size, SizeMode } from './size.ts'
import { type OutlinedLines, TextOutline } from './text-outline.ts'

const KEPT_LAYOUTS = 6
const SAMPLES = 8
const SAMPLE_LENGTH = 4096

/** A value that is too large to be held whole. */
export interface LargeContent {
  /** What its pages are of. */
  readonly parts: Items
  /** JSON Pointer to that, where it is not all of the value. */
  readonly path: string
  /** The value is a text, and this is the JSON that it is. */
  readonly isReformatted?: true
  sample(wish: SampleWish): ReadingSteps<Sample>
  /** Its tables, which are counted once. */
  tables(): Promise<readonly CountedTable[]>
  /** Of a text: some of its lines, and the order in which they are worth showing; none: from the beginning. */
  lines?(characters: number, fromStart: boolean): Promise<{ sample: LineSample; order: readonly number[] }>
}

/** What fits the budget of a sample, and the sample. */
interface Shrunk {
  readonly of: JsonValue
  readonly fitted: Fitted
}

/** Characters of a sample for each of what the budget usually holds. */
const SAMPLE_SHARE = 2.5

/** A large value prepared for showing: it remembers its size and its latest layouts. */
export class LargeValue {
  readonly parts: Items
  readonly #layouts = new Map<string, LargePages>()
  readonly #measured = new Map<SizeMode, Promise<Size>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly content: LargeContent) {
    this.parts = content.parts
  }

  /** A preview from a sample of its parts. */
  async preview(request: RenderRequest): Promise<PartRendering> {
    const { sizeMode, strategy } = request
    const ruler = await rulerFor(sizeMode)
    const tables = await this.content.tables()
    const shape = await shapeWithin(tables, ruler, request)
    const budget = { ...request, maxSize: request.maxSize - (shape?.size ?? 0) }
    const { of, fitted, ...lines } = this.content.lines
      ? await this.#shrinkLines(this.content.lines, ruler, budget)
      : await this.#shrinkParts(tables, ruler, budget)
    return {
      kind: 'part',
      ...shownOf(of, fitted.json),
      strategy,
      ...(await this.#sizes(sizeMode, ruler)),
      previewSize: fitted.size,
      ...this.#about(),
      ...(shape ? { shape: shape.shape } : {}),
      ...lines,
    }
  }

  async #shrinkParts(
    tables: readonly CountedTable[],
    ruler: Ruler,
    { maxSize, strategy, dense }: RenderRequest,
  ): Promise<Shrunk> {
    const manner = strategy === 'truncate' ? 'truncate' : 'sample'
    const wish = {
      characters: charactersFor(maxSize, ruler),
      fromStart: manner === 'truncate',
      wanted: (path: string) => tables.find(table => table.path === path)?.shape.outliers ?? [],
    }
    const { value, partial } = await paced(this.content.sample(wish))
    const shrinker = new Shrinker(manner, shapesOf(value, tables), partial)
    const { length } = stringifyJson(value)
    const plain = (room: number) => shrinker.shrink(value, room)
    const shrink = dense ? shrinkDensely(plain) : plain
    return { of: value, fitted: await paced(fitShrunk({ value, length }, shrink, ruler, maxSize)) }
  }

  async #shrinkLines(
    lines: NonNullable<LargeContent['lines']>,
    ruler: Ruler,
    { maxSize, strategy }: RenderRequest,
  ): Promise<Shrunk & Pick<PartRendering, 'lines' | 'totalLines'>> {
    const characters = charactersFor(maxSize, ruler)
    const { sample, order } = await lines(characters, strategy === 'truncate')
    const outline = new TextOutline(linesOf(sample), order.length > 0 ? () => order : undefined)
    const length = 2 * characters
    const shrink = (room: number) => outline.show(room)
    const fitted = await paced(fitShrunk({ value: sample.beginning, length }, shrink, ruler, maxSize))
    const shown = outline.linesIn(fitted.json)
    return {
      of: sample.beginning,
      fitted,
      ...(shown ? { lines: shown } : {}),
      ...(outline.total > 1 ? { totalLines: outline.total } : {}),
    }
  }

  /** A page of it. Without a page size, those before it are laid out once, in steps. */
  async page(request: RenderRequest & { page: number }): Promise<PartRendering> {
    const { page: number, pageSize } = request
    const ruler = await rulerFor(request.sizeMode)
    const counted = pageSize === undefined ? undefined : { ...request, pageSize }
    const found = await this.#inTurn(() =>
      counted ? this.#counted(counted, ruler) : this.#fitting(request, ruler),
    )
    if (!found.page) throw noSuchPage(number, found.total)
    const { value, unit, firstPart, parts } = found.page
    const { json, size: previewSize } = await fitPage(value, ruler, request)
    if (counted && previewSize > request.maxSize) {
      throw pageTooLarge(previewSize, this.parts, { firstItem: firstPart, items: parts }, counted)
    }
    const shown = shownOf(value, json)
    const sizes = await this.#sizes(request.sizeMode, ruler)
    const following = this.parts.count - firstPart - parts
    const perPart = shown.isDense ? previewSize / parts : sizes.originalSize / Math.max(1, this.parts.count)
    return {
      kind: 'part',
      ...shown,
      strategy: 'paginate',
      ...sizes,
      previewSize,
      ...this.#about(),
      page: number,
      totalPages: found.total,
      restSize: Math.round(perPart * following),
      ...(found.isEstimate ? { totalPagesIsEstimate: true } : {}),
      pageUnit: unit,
      ...(unit === 'lines'
        ? { lines: [firstPart + 1, firstPart + parts], totalLines: this.parts.count }
        : {}),
    }
  }

  async #fitting({ page: number, maxSize, sizeMode }: RenderRequest & { page: number }, ruler: Ruler) {
    const key = `${sizeMode} ${maxSize}`
    const pages = this.#layouts.get(key) ?? new LargePages(this.parts, ruler, maxSize)
    this.#layouts.delete(key)
    this.#layouts.set(key, pages)
    if (this.#layouts.size > KEPT_LAYOUTS) this.#layouts.delete(this.#layouts.keys().next().value as string)
    const page = await paced(pages.page(number))
    return { page, total: pages.total, isEstimate: !pages.isComplete }
  }

  async #counted(request: CountedPageRequest, ruler: Ruler) {
    const { value, firstItem, items, totalPages } = await paced(countedPage(this.parts, ruler, request))
    const unit = unitOf(this.parts.kind) ?? 'items'
    const page: LargePage = { value, unit, firstPart: firstItem, parts: items }
    return { page, total: totalPages, isEstimate: false }
  }

  #about(): Pick<PartRendering, 'totalItems' | 'path' | 'reformatted'> {
    const { path, isReformatted } = this.content
    const { kind, count } = this.parts
    return {
      ...(kind === 'text' ? {} : { totalItems: count }),
      ...(path === '' ? {} : { path }),
      ...(isReformatted ? { reformatted: true } : {}),
    }
  }

  async #sizes(
    sizeMode: SizeMode,
    ruler: Ruler,
  ): Promise<Pick<PartRendering, 'originalSize' | 'originalSizeIsEstimate'>> {
    const { size, isEstimate } = await this.#size(sizeMode, ruler)
    return { originalSize: size, ...(isEstimate ? { originalSizeIsEstimate: true } : {}) }
  }

  /** What all pages would cost, from samples. */
  #size(sizeMode: SizeMode, ruler: Ruler): Promise<Size> {
    const known = this.#measured.get(sizeMode)
    if (known) return known
    const size = paced(this.#sizeSteps(ruler))
    this.#measured.set(sizeMode, size)
    size.catch(() => this.#measured.delete(sizeMode))
    return size
  }

  *#sizeSteps(ruler: Ruler): ReadingSteps<Size> {
    const { start, end } = this.parts
    let counted = 0
    for (let sample = 0; sample < SAMPLES; sample++) {
      const at = start + Math.floor((sample * (end - start - SAMPLE_LENGTH)) / (SAMPLES - 1))
      const text = yield* this.parts.slice(at, at + SAMPLE_LENGTH)
      counted += yield* ruler.size(this.parts.kind === 'text' ? JSON.stringify(text) : text)
    }
    return { size: Math.round((counted * (end - start)) / (SAMPLES * SAMPLE_LENGTH)), isEstimate: true }
  }

  /** One after the other: two who lay out the same would do it twice. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }
}

function charactersFor(maxSize: number, ruler: Ruler): number {
  return Math.ceil(maxSize * ruler.usualUnit * SAMPLE_SHARE)
}

function linesOf({ lines, beginning, length, total }: LineSample): OutlinedLines {
  return {
    total,
    length,
    beginning,
    at: line => lines.get(line)?.text ?? '',
    lengthOf: line => lines.get(line)?.length ?? Number.POSITIVE_INFINITY,
  }
}

/** The shapes of the tables that are in a sample, by the list or the map. */
function shapesOf(sample: JsonValue, counted: readonly CountedTable[]): Map<JsonValue, TableShape> {
  const shapes = new Map<JsonValue, TableShape>()
  for (const { path, of } of tablesOf(sample)) {
    const table = counted.find(one => one.path === path)
    if (table) shapes.set(of, table.shape)
  }
  return shapes
}
