import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { done, type Steps } from '../core/steps.ts'
import type { SampledParts } from '../values/segments/sample.ts'
import type { TableShape } from '../values/shape.ts'
import { firstAndLast, fromStart, spread } from './choose.ts'
import { jsonLength } from './json-length.ts'
import { fitParts, type Mark, type Parts } from './parts.ts'
import { TellingFields } from './telling-fields.ts'
import { beginning, ELLIPSIS, missingFrom } from './truncate.ts'

/** A list shows at least about so many of its items, shrunk if they must be. Whole ones are preferred. */
const ITEMS_AT_LEAST = 4
/** An object shows at least about so many entries: its keys tell its shape. */
const ENTRIES_AT_LEAST = 32
/** Deeper parts are left out where they do not fit: they say little, and each level takes stack. */
const DEEPEST = 100
/** A longer key is shown like a text. */
const LONGEST_KEY = 200
/** What a mark takes at most to name keys that are left out, of the room of their object. */
const NAMES_SHARE = 0.1
const LONGEST_NAMES = 150

/** What is shown of a list or object: some of everything, or its beginning. */
export type Manner = 'sample' | 'truncate'

/** A record, and the table that it is a row of. */
interface Row {
  readonly fields: TellingFields
  readonly at: number
}

/**
 * Makes values smaller until their JSON fits a room, given in characters, so that they still show their shape.
 * What was left out is said where it was, at every level:
 *
 * - a text ends with `…(lines 41 to 530)` or `…(+1234 chars)`
 * - a list has items like `"…(items 2 to 363)"` in the places of those that are missing
 * - an object has the entry `"…": "(+12 keys: name, price, …)"`
 * - `"…"` stands for any part that there was no room for
 */
export class Shrinker {
  readonly #manner: Manner
  /** The tables of the value, by the list or the map of records that they are. */
  readonly #tables: ReadonlyMap<JsonValue, TableShape>
  /** Of a sample: what stands for larger lists and objects. */
  readonly #partial: ReadonlyMap<JsonValue, SampledParts>
  readonly #fields = new Map<TableShape, TellingFields>()
  readonly #keys = new Map<object, string[]>()

  constructor(
    manner: Manner,
    tables: ReadonlyMap<JsonValue, TableShape> = new Map(),
    partial: ReadonlyMap<JsonValue, SampledParts> = new Map(),
  ) {
    this.#manner = manner
    this.#tables = tables
    this.#partial = partial
  }

  /** JSON that shows as much of the value as about `room` characters hold. */
  shrink(value: JsonValue, room: number): Steps<string> {
    return this.#shrink(value, room, 0)
  }

  *#shrink(value: JsonValue, room: number, depth: number, row?: Row): Steps<string> {
    if (this.#length(value, room) <= room) return stringifyJson(value)
    if (typeof value === 'string') return beginning(value, room)
    const list = Array.isArray(value)
    if (!list && !isJsonObject(value)) return stringifyJson(value)
    if (depth > DEEPEST) return JSON.stringify(ELLIPSIS)
    const parts = list ? this.#items(value, depth) : this.#entries(value, room, depth, row)
    const shown = yield* fitParts(parts, room - 2)
    if (shown === undefined) return JSON.stringify(ELLIPSIS)
    return list ? `[${shown}]` : `{${shown}}`
  }

  /** As `jsonLength`. What is only a sample of something is larger than any room. */
  #length(value: JsonValue, limit: number): number {
    return this.#partial.has(value) ? limit + 1 : jsonLength(value, limit)
  }

  #items(list: JsonValue[], depth: number): Parts {
    const table = this.#tables.get(list)
    const fields = this.#fieldsOf(table)
    const { positions, total = list.length, texts } = this.#partial.get(list) ?? {}
    const positionOf = (index: number) => positions?.[index] ?? index
    const outliers = outliersAmong(table, positions)
    return {
      total: list.length,
      preferWhole: true,
      atLeast: ITEMS_AT_LEAST,
      choose: (count, length) => {
        if (this.#manner === 'truncate') return fromStart(count)
        return table || depth === 0
          ? spread(count, length, list.length, outliers)
          : firstAndLast(count, list.length)
      },
      leadLength: () => 0,
      length: (index, limit) => (texts?.has(index) ? limit + 1 : this.#length(list[index]!, limit)),
      text: (index, room) => {
        const cut = texts?.get(index)
        if (cut !== undefined) return done(beginning(list[index] as string, room, cut))
        return this.#shrink(list[index]!, room, depth + 1, fields && { fields, at: positionOf(index) })
      },
      marks: shown => gapsIn(shown.map(positionOf), total),
    }
  }

  #entries(object: JsonObject, room: number, depth: number, row: Row | undefined): Parts {
    const keys = this.#keysOf(object)
    const table = this.#tables.get(object)
    const fields = this.#fieldsOf(table)
    const { positions, total = keys.length, texts } = this.#partial.get(object) ?? {}
    const outliers = outliersAmong(table, positions)
    const valueAt = (index: number) => object[keys[index]!]!
    const lead = (index: number) => `${beginning(keys[index]!, LONGEST_KEY)}:`
    const shrink = (index: number, left: number) => {
      const cut = texts?.get(index)
      if (cut !== undefined) return done(beginning(valueAt(index) as string, left, cut))
      return this.#shrink(
        valueAt(index),
        left,
        depth + 1,
        fields && { fields, at: positions?.[index] ?? index },
      )
    }
    return {
      total: keys.length,
      preferWhole: table !== undefined,
      atLeast: table ? ITEMS_AT_LEAST : ENTRIES_AT_LEAST,
      choose: (count, length) => {
        if (this.#manner === 'truncate') return fromStart(count)
        if (row) return row.fields.choose(object, keys, row.at, count)
        return table || depth === 0 ? spread(count, length, keys.length, outliers) : fromStart(count)
      },
      leadLength: index => lead(index).length,
      length: (index, limit) => {
        const { length } = lead(index)
        if (texts?.has(index)) return limit + 1
        return length + this.#length(valueAt(index), limit - length)
      },
      *text(index, left) {
        const name = lead(index)
        return name + (yield* shrink(index, left - name.length))
      },
      marks: shown => missingKeys(object, { keys, total }, shown, room * NAMES_SHARE),
    }
  }

  #fieldsOf(table: TableShape | undefined): TellingFields | undefined {
    if (!table) return undefined
    const known = this.#fields.get(table) ?? new TellingFields(table)
    this.#fields.set(table, known)
    return known
  }

  #keysOf(object: JsonObject): string[] {
    const known = this.#keys.get(object)
    if (known !== undefined) return known
    const keys = Object.keys(object)
    this.#keys.set(object, keys)
    return keys
  }
}

/** The outliers of a table, by their place among those of its rows that are at hand. */
function outliersAmong(
  table: TableShape | undefined,
  positions: readonly number[] | undefined,
): readonly number[] {
  const outliers = table?.outliers ?? []
  return positions ? outliers.map(row => positions.indexOf(row)).filter(at => at >= 0) : outliers
}

/** A mark for each run of items that is not shown. */
function gapsIn(shown: readonly number[], total: number): Mark[] {
  const marks: Mark[] = []
  let next = 0
  for (const [after, index] of [...shown, total].entries()) {
    if (index > next) marks.push({ after, json: JSON.stringify(missingFrom('item', next + 1, index)) })
    next = index + 1
  }
  return marks
}

/** One mark, where the first of them would stand; names as many as there is room for. */
function missingKeys(
  object: JsonObject,
  { keys, total }: { readonly keys: readonly string[]; readonly total: number },
  shown: readonly number[],
  room: number,
): Mark[] {
  const missing = total - shown.length
  if (missing === 0) return []
  let after = 0
  while (after < shown.length && shown[after] === after) after++
  let key = ELLIPSIS
  while (Object.hasOwn(object, key)) key += ELLIPSIS
  const names: string[] = []
  let left = Math.min(room, LONGEST_NAMES)
  for (let index = after, at = after; index < keys.length && names.length < missing; index++) {
    if (shown[at] === index) at++
    else {
      left -= keys[index]!.length + 2
      if (left < 0) break
      names.push(keys[index]!)
    }
  }
  const unnamed = names.length < missing ? [ELLIPSIS] : []
  const named = names.length > 0 ? `: ${[...names, ...unnamed].join(', ')}` : ''
  const what = missing === 1 ? 'key' : 'keys'
  return [{ after, json: `${JSON.stringify(key)}:${JSON.stringify(`(+${missing} ${what}${named})`)}` }]
}
