import { isJsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { type Items, itemsOf } from './items.ts'
import type { Layout } from './layout.ts'
import type { Size, SizeMode } from './size.ts'

const KEPT_LAYOUTS = 6

/**
 * A value prepared for showing. Make one per value and keep it as long as the value is looked at: it remembers
 * the value's JSON text, its sizes and its latest page layouts.
 */
export class Source {
  readonly value: JsonValue
  /** @internal */
  readonly sizes = new Map<SizeMode, Promise<Size>>()
  /** @internal */
  readonly layouts = new Map<string, Promise<Layout>>()
  /** @internal */
  readonly embedded = new Map<'embedded', Promise<Source | undefined>>()
  #json: string | undefined
  #items: Items | undefined
  #totalItems: number | undefined

  /** `json`, where the caller has it already, must be what stringifyJson(value) gives. */
  constructor(value: JsonValue, json?: string) {
    this.value = value
    this.#json = json
  }

  /** The compact JSON. */
  get json(): string {
    this.#json ??= stringifyJson(this.value)
    return this.#json
  }

  /** What its pages are made of. */
  get items(): Items {
    this.#items ??= itemsOf(this.value, this.json)
    return this.#items
  }

  /** Items of a list, entries of an object; of anything else undefined. */
  get totalItems(): number | undefined {
    this.#totalItems ??= countItems(this.value)
    return this.#totalItems
  }

  /** Computes once, also for those who ask meanwhile; keeps the latest few answers, and no failure. @internal */
  remember<Key, T>(kept: Map<Key, Promise<T>>, key: Key, compute: () => Promise<T>): Promise<T> {
    const known = kept.get(key)
    const answer = known ?? compute()
    kept.delete(key)
    kept.set(key, answer)
    if (known === undefined) {
      answer.catch(() => kept.delete(key))
      if (kept.size > KEPT_LAYOUTS) kept.delete(kept.keys().next().value as Key)
    }
    return answer
  }
}

function countItems(value: JsonValue): number | undefined {
  if (Array.isArray(value)) return value.length
  return isJsonObject(value) ? Object.keys(value).length : undefined
}
