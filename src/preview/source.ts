import { isJsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { TextBlock } from '../values/text-blocks.ts'
import { Memo } from './memo.ts'

/** A value in memory, prepared for showing. It remembers its JSON text and its sizes. */
export class Source extends Memo {
  readonly value: JsonValue
  #json: string | undefined

  /**
   * @param json where the caller has it already, it must be what stringifyJson(value) gives
   * @param blocks of a text that is several texts in one
   */
  constructor(
    value: JsonValue,
    json?: string,
    readonly blocks?: readonly TextBlock[],
  ) {
    super()
    this.value = value
    this.#json = json
  }

  /** The compact JSON. */
  get json(): string {
    this.#json ??= stringifyJson(this.value)
    return this.#json
  }

  /** Items of a list, entries of an object; of anything else undefined. */
  get totalItems(): number | undefined {
    if (Array.isArray(this.value)) return this.value.length
    return isJsonObject(this.value) ? Object.keys(this.value).length : undefined
  }
}
