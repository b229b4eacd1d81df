import { InvalidArgument } from '../core/errors.ts'
import type { JsonValue } from '../core/json.ts'
import { partEnds } from '../core/json-parts.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { ReadingSteps } from '../core/steps.ts'
import { type Items, unitOf, valueOfItems } from './items.ts'
import type { PageUnit, PageUnitName } from './layout.ts'
import type { Ruler } from './measure.ts'
import { pageUnits, wholeCharacters } from './page-units.ts'
import { fillPage } from './paginate.ts'
import { Source } from './source.ts'

/** A page: some parts, or a slice of one part that is larger than a page. */
export interface LargePage {
  readonly unit: PageUnitName
  readonly value: JsonValue
  /** The first part of which something is in it, and how many there are. */
  readonly firstPart: number
  readonly parts: number
}

interface Bounds {
  readonly unit: PageUnitName
  readonly start: number
  readonly end: number
  readonly firstPart: number
  readonly parts: number
}

/** UTF-16 units that are looked at first for one unit of size. */
const FIRST_LOOK = 8

/** The pages of one budget. They are laid out as far as somebody asked, from the first one on. */
export class LargePages {
  readonly #laidOut: Bounds[] = []
  /** Where the next page begins, in which part; within that part, where it is larger than a page. */
  #position: number
  #part = 0
  #partEnd: number | undefined

  constructor(
    private readonly source: Items,
    private readonly ruler: Ruler,
    private readonly maxSize: number,
  ) {
    this.#position = source.start
  }

  get isComplete(): boolean {
    return this.#laidOut.length > 0 && this.#position >= this.source.end
  }

  /** How many pages there are; until all of them are laid out, as many as there would be if all were like those that are. */
  get total(): number {
    const { length } = this.#laidOut
    if (this.isComplete || length === 0) return length
    const { start, end } = this.source
    return Math.max(length + 1, Math.ceil((length * (end - start)) / (this.#position - start)))
  }

  /** A page by its number, from 1. Undefined: there are not so many. */
  *page(number: number): ReadingSteps<LargePage | undefined> {
    while (this.#laidOut.length < number && !this.isComplete) this.#laidOut.push(yield* this.#next())
    const bounds = this.#laidOut[number - 1]
    if (!bounds) return undefined
    const { unit, start, end, firstPart, parts } = bounds
    const text = yield* this.source.slice(start, end)
    return { unit, value: pageValue(this.source.kind, unit, text), firstPart, parts }
  }

  *#next(): ReadingSteps<Bounds> {
    if (this.#partEnd !== undefined) return yield* this.#sliceOfPart(this.#partEnd)
    const whole = yield* this.#wholeParts()
    if (whole) return whole
    const { kind, end } = this.source
    const next = yield* this.source.itemStart(this.#part + 1)
    return yield* this.#sliceOfPart(kind === 'text' || next >= end ? next : next - 1)
  }

  /** As many parts as fit. Undefined: not even one does. */
  *#wholeParts(): ReadingSteps<Bounds | undefined> {
    const { kind, end, isSpaced } = this.source
    const start = this.#position
    const most = this.maxSize * this.ruler.longestUnit
    for (let length = this.maxSize * FIRST_LOOK; ; length *= 4) {
      const seen = yield* this.source.slice(start, Math.min(start + length, end))
      yield seen.length / 8
      const isAll = start + seen.length >= end
      const whole = isAll ? seen : upToLastPart(kind, seen)
      const known = isSpaced && whole !== undefined ? compact(kind, whole) : whole
      const unit = known === undefined ? undefined : partsUnitOf(kind, known)
      if (!unit || known === undefined) {
        if (seen.length > most || isAll) return undefined
        continue
      }
      const fill = {
        start: unit.start,
        maxSize: this.maxSize,
        mostParts: Number.POSITIVE_INFINITY,
        expected: known.length,
      }
      const json = yield* fillPage(unit, this.ruler, fill)
      if (json === undefined) return undefined
      const taken = unit.pageEnd(unit.start, json) - unit.start
      if (taken === known.length && !isAll) continue
      const parts = countParts(kind, known.slice(0, taken))
      const until = start + (isSpaced ? endOfParts(whole as string, parts) : taken)
      return this.#advance(unit.name, until, parts, kind !== 'text')
    }
  }

  /** Of a part that is larger than a page, what fits: characters of a line, else of its JSON. */
  *#sliceOfPart(partEnd: number): ReadingSteps<Bounds> {
    const { kind } = this.source
    const start = this.#position
    const seen = yield* this.source.slice(start, Math.min(start + this.maxSize * FIRST_LOOK, partEnd))
    const text =
      start + seen.length < partEnd ? seen.slice(0, wholeCharacters(`${seen} `, seen.length)) : seen
    const unit = characterUnitOf(kind, text)
    const fill = {
      start: 0,
      maxSize: this.maxSize,
      mostParts: Number.POSITIVE_INFINITY,
      expected: text.length,
    }
    const json = unit && (yield* fillPage(unit, this.ruler, fill))
    if (!unit || json === undefined) {
      throw new InvalidArgument(
        `A max_size of ${this.maxSize} is too small for pages. Ask with a larger max_size.`,
      )
    }
    const end = start + unit.pageEnd(0, json)
    const isLast = end >= partEnd
    this.#partEnd = isLast ? undefined : partEnd
    return this.#advance(unit.name, end, isLast ? 1 : 0, isLast && kind !== 'text')
  }

  /** @param comma a comma stands before the next page */
  #advance(unit: PageUnitName, end: number, parts: number, comma: boolean): Bounds {
    const bounds = { unit, start: this.#position, end, firstPart: this.#part, parts: Math.max(1, parts) }
    this.#position = comma && end < this.source.end ? end + 1 : end
    this.#part += parts
    return bounds
  }
}

/** What is certainly whole of a text that goes on. */
function upToLastPart(kind: Items['kind'], text: string): string | undefined {
  const end =
    kind === 'text' ? text.lastIndexOf('\n') + 1 : (partEnds(text, 0, Number.POSITIVE_INFINITY).at(-1) ?? 0)
  return end > 0 ? text.slice(0, end) : undefined
}

/** Parts of a text as they are shown. */
function compact(kind: Items['kind'], text: string): string {
  return stringifyJson(valueOfItems(kind, text)).slice(1, -1)
}

function endOfParts(text: string, parts: number): number {
  return partEnds(text, 0, parts)[parts - 1] ?? text.length
}

function partsUnitOf(kind: Items['kind'], text: string): PageUnit | undefined {
  if (kind === 'text') return pageUnits(new Source(text)).find(({ name }) => name === 'lines')
  const [json, empty] = kind === 'list' ? [`[${text}]`, []] : [`{${text}}`, {}]
  return pageUnits(new Source(empty, json)).find(({ counted }) => counted)
}

function characterUnitOf(kind: Items['kind'], text: string): PageUnit | undefined {
  const units = kind === 'text' ? pageUnits(new Source(text)) : pageUnits(new Source(0, text))
  return units.find(({ name }) => name === (kind === 'text' ? 'characters' : 'json'))
}

/** Slices are texts. */
function pageValue(kind: Items['kind'], unit: PageUnitName, text: string): JsonValue {
  return unit === unitOf(kind) ? valueOfItems(kind, text) : text
}

function countParts(kind: Items['kind'], text: string): number {
  if (kind !== 'text') return partEnds(text, 0, Number.POSITIVE_INFINITY).length + 1
  let count = text.endsWith('\n') ? 0 : 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
