import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { Steps } from '../core/steps.ts'
import { jsonLength } from './json-length.ts'
import { fitParts, insertMark, type Manner, type Parts } from './parts.ts'
import { beginning, ELLIPSIS, fromStart } from './truncate.ts'

/** A list shows at least about so many of its items, shrunk if they must be. Whole ones are preferred. */
const ITEMS_AT_LEAST = 4
/** An object shows at least about so many entries: its keys tell its shape. */
const ENTRIES_AT_LEAST = 32
/** Deeper parts are left out where they do not fit: they say little, and each level takes stack. */
const DEEPEST = 100
/** A longer key is shown like a text. */
const LONGEST_KEY = 200

/**
 * Makes values smaller until their JSON fits a room, given in characters, so that they still show their shape.
 * What was left out is said where it was:
 *
 * - a text ends with `…(+1234 chars)`
 * - a list has the item `"…(+97 items)"` in the place of those that are missing
 * - an object has the entry `"…": "(+12 entries)"`
 * - `"…"` stands for any part that there was no room for
 *
 * The value's own list or object has no such mark: its whole size is told beside the preview.
 */
export class Shrinker {
  readonly #manner: Manner
  readonly #keys = new Map<object, string[]>()

  constructor(manner: Manner) {
    this.#manner = manner
  }

  /** JSON that shows as much of the value as about `room` characters hold. `length`: of the value's full JSON. */
  *shrink(value: JsonValue, room: number, length: number): Steps<string> {
    if (typeof value === 'string' && length > room) return this.#manner.text(value, room, length)
    return yield* this.#shrink(value, room, 0)
  }

  *#shrink(value: JsonValue, room: number, depth: number): Steps<string> {
    if (jsonLength(value, room) <= room) return stringifyJson(value)
    if (typeof value === 'string') return beginning(value, room)
    const list = Array.isArray(value)
    if (!list && !isJsonObject(value)) return stringifyJson(value)
    if (depth > DEEPEST) return JSON.stringify(ELLIPSIS)
    const outside = depth === 0
    const parts = list ? this.#items(value, depth) : this.#entries(value, depth)
    const pick = outside ? this.#manner.outside : list ? this.#manner.inside : fromStart
    const longestMark = outside ? 0 : parts.mark(parts.total).length + 1
    if (!outside && longestMark + 1 > room) return JSON.stringify(ELLIPSIS)
    const shown = yield* fitParts(parts, pick, room - 2 - longestMark)
    if (!outside) insertMark(shown, parts, pick)
    return list ? `[${shown.join(',')}]` : `{${shown.join(',')}}`
  }

  #items(list: JsonValue[], depth: number): Parts {
    return {
      total: list.length,
      preferWhole: true,
      atLeast: ITEMS_AT_LEAST,
      leadLength: () => 0,
      length: (index, limit) => jsonLength(list[index]!, limit),
      text: (index, room) => this.#shrink(list[index]!, room, depth + 1),
      mark: missing => `"${ELLIPSIS}(+${missing} items)"`,
    }
  }

  #entries(object: JsonObject, depth: number): Parts {
    const keys = this.#keysOf(object)
    const valueAt = (index: number) => object[keys[index]!]!
    const lead = (index: number) => `${beginning(keys[index]!, LONGEST_KEY)}:`
    const shrink = (value: JsonValue, room: number) => this.#shrink(value, room, depth + 1)
    let markKey = ELLIPSIS
    while (Object.hasOwn(object, markKey)) markKey += ELLIPSIS
    return {
      total: keys.length,
      preferWhole: false,
      atLeast: ENTRIES_AT_LEAST,
      leadLength: index => lead(index).length,
      length(index, limit) {
        const { length } = lead(index)
        return length + jsonLength(valueAt(index), limit - length)
      },
      *text(index, room) {
        const name = lead(index)
        return name + (yield* shrink(valueAt(index), room - name.length))
      },
      mark: missing => `"${markKey}":"(+${missing} entries)"`,
    }
  }

  #keysOf(object: JsonObject): string[] {
    const known = this.#keys.get(object)
    if (known !== undefined) return known
    const keys = Object.keys(object)
    this.#keys.set(object, keys)
    return keys
  }
}
