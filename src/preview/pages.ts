import { InvalidArgument } from '../core/errors.ts'
import { paced, type ReadingSteps } from '../core/steps.ts'
import { SEGMENT_LENGTH } from '../values/segments/segment-index.ts'
import { type Items, unitOf, valueOfItems } from './items.ts'
import type { Ruler } from './measure.ts'
import { noSuchPage, type Page } from './page.ts'
import { fillPage, itemsWindow, sliceWindow } from './page-window.ts'

/** With this budget every value has pages: any one character, however escaped, is a page. */
export const SMALLEST_PAGE = 8

/** More would cost much to lay out, and no reader takes as many. */
const MAX_PAGES = 100_000

/** Up to so many UTF-16 units all pages are laid out at once, so that their number is known: that takes a moment. */
const LAID_OUT_AT_ONCE = SEGMENT_LENGTH

interface Bounds extends Pick<Page, 'unit' | 'firstItem' | 'items' | 'columns'> {
  readonly start: number
  readonly end: number
}

/**
 * The pages of one budget: as many items as fit, each. They are laid out as far as somebody asked, from the first one on; where a
 * page begins depends on nothing but the items and the budget.
 */
export class Pages {
  readonly #laidOut: Bounds[] = []
  /** Where the next page begins, and in which item. */
  #position: number
  #item = 0
  /** Where the item ends of which the pages are slices now. */
  #itemEnd: number | undefined
  /** Characters of JSON that a page has, about. */
  #expected: number
  #turn: Promise<unknown> = Promise.resolve()

  /** @param dense a list of records is laid out as a table */
  constructor(
    private readonly source: Items,
    private readonly ruler: Ruler,
    private readonly maxSize: number,
    private readonly dense: boolean,
  ) {
    this.#position = source.start
    this.#expected = maxSize * ruler.usualUnit
  }

  /**
   * A page by its number, from 1. What is laid out when the signal aborts stays for who asks next.
   * @throws InvalidArgument where there are not so many; the reason of the signal
   */
  page(number: number, signal?: AbortSignal): Promise<Page> {
    // One after the other: two who lay out the same would do it twice.
    const page = this.#turn.then(() => paced(this.#page(number), signal))
    this.#turn = page.catch(() => {})
    return page
  }

  get #isComplete(): boolean {
    return this.#laidOut.length > 0 && this.#position >= this.source.end
  }

  /** Until all pages are laid out, as many as there would be if all were like those that are. */
  get #total(): number {
    const { length } = this.#laidOut
    if (this.#isComplete) return length
    const { start, end } = this.source
    return Math.max(length + 1, Math.ceil((length * (end - start)) / (this.#position - start)))
  }

  *#page(number: number): ReadingSteps<Page> {
    const isNumber = Number.isInteger(number) && number > 0
    if (isNumber && number > MAX_PAGES) yield* this.#layOut(MAX_PAGES + 1)
    yield* this.#layOut(isNumber ? number : 1)
    const { start: first, end: last } = this.source
    if (last - first <= LAID_OUT_AT_ONCE) yield* this.#layOut(MAX_PAGES)
    const bounds = isNumber ? this.#laidOut[number - 1] : undefined
    if (!bounds) throw noSuchPage(number, this.#total)
    const { start, end, ...about } = bounds
    const text = yield* this.source.slice(start, end)
    return {
      ...about,
      value: about.unit === 'json' ? text : valueOfItems(this.source, text),
      rest: (last - end) / Math.max(1, last - first),
      totalPages: this.#total,
      isEstimate: !this.#isComplete,
    }
  }

  *#layOut(pages: number): ReadingSteps<void> {
    while (this.#laidOut.length < pages && !this.#isComplete) {
      if (this.#laidOut.length === MAX_PAGES) throw tooManyPages()
      this.#laidOut.push(yield* this.#next())
    }
  }

  *#next(): ReadingSteps<Bounds> {
    if (this.#itemEnd === undefined) {
      const whole = yield* this.#wholeItems()
      if (whole) return whole
      yield* this.#beginSlices()
    }
    return yield* this.#slice(this.#itemEnd as number)
  }

  /** As many items as fit. Undefined: not even one does. */
  *#wholeItems(): ReadingSteps<Bounds | undefined> {
    const { source, dense } = this
    const start = this.#position
    const filled = yield* this.#fill(source.end, (text, isAll) => itemsWindow(source, text, isAll, dense))
    if (!filled) return undefined
    const { window, count } = filled
    const { columns } = window
    const about = { unit: unitOf(source.kind), firstItem: this.#item, items: Math.min(count, source.count) }
    return this.#advance(
      { ...about, ...(columns ? { columns } : {}), start, end: start + window.textEnds[count - 1]! },
      count,
    )
  }

  /** Slices that follow each other directly are one text: a comma stands between two items. */
  *#beginSlices(): ReadingSteps<void> {
    const { source } = this
    const next = yield* source.itemStart(this.#item + 1)
    this.#itemEnd = source.kind === 'text' || next >= source.end ? next : next - 1
    if (this.#laidOut.at(-1)?.unit === 'json') this.#position--
  }

  *#slice(itemEnd: number): ReadingSteps<Bounds> {
    const { source } = this
    const start = this.#position
    const filled = yield* this.#fill(itemEnd, (text, isAll) => sliceWindow(source, text, isAll))
    if (!filled) {
      throw new InvalidArgument(
        `A max_size of ${this.maxSize} is too small for pages. Ask with a max_size of ${SMALLEST_PAGE} or more.`,
      )
    }
    const { window, count } = filled
    const end = start + window.textEnds[count - 1]!
    const isLast = end >= itemEnd
    this.#itemEnd = isLast ? undefined : itemEnd
    const unit = source.kind === 'text' ? 'characters' : 'json'
    return this.#advance({ unit, firstItem: this.#item, items: 1, start, end }, isLast ? 1 : 0)
  }

  #fill(until: number, windowOf: Parameters<typeof fillPage>[0]['windowOf']) {
    const { source, ruler, maxSize } = this
    const start = this.#position
    const expected = this.#expected
    return fillPage({ source, start, until, windowOf, ruler, maxSize, expected })
  }

  /** @param items how many are over by this page */
  #advance(bounds: Bounds, items: number): Bounds {
    const { end } = bounds
    const isBeforeComma = items > 0 && this.source.kind !== 'text' && end < this.source.end
    this.#position = isBeforeComma ? end + 1 : end
    this.#item += items
    return bounds
  }
}

function tooManyPages(): InvalidArgument {
  return new InvalidArgument(`That would be more than ${MAX_PAGES} pages. Ask with a larger max_size.`)
}
