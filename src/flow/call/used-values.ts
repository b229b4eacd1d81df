import { parseStored } from '../../core/codec.ts'
import type { ValuedEntry } from '../../core/entry-value.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { Part } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import type { ArgumentValue } from '../../values/argument.ts'
import type { Used } from '../../values/projection.ts'
import type { Engine } from '../engine.ts'
import { readPart } from '../read/part.ts'
import { readJson } from '../read/stored-value.ts'
import { usedOf } from '../read/values.ts'
import { checkSizes, type Size, sizeInSteps } from './input-cost.ts'

/** Resolves when so many bytes more may be taken. */
export type Memory = (bytes: number) => Promise<void>

/** A stored value, or a part of one, on its way into an input. */
export interface UsedValue {
  /** As JSON. */
  readonly text: string
  readonly size: Size
  /** What an argument may want instead. */
  readonly instead: Pick<ArgumentValue, 'text' | 'forms'>
}

/** The values that one input uses. Each is held to the limits before anything is made of it. */
export class UsedValues {
  readonly #divided = new Map<RefId, Used>()

  constructor(
    private readonly engine: Engine,
    private readonly memory: Memory,
  ) {}

  async whole(entry: ValuedEntry): Promise<UsedValue> {
    const { settings } = this.engine
    await this.memory(entry.valueBytes)
    const json = await readJson(this.engine, entry)
    const size = await sizeInSteps(json)
    const { length, weight } = size
    checkSizes([{ length: entry.view === undefined ? length : 0, weight }], settings)
    if (entry.view === undefined) return { text: json, size, instead: {} }
    await this.memory(weight)
    const { value, text, forms = [] } = await usedOf(this.engine, entry, parseStored(json))
    const used = stringifyJson(value)
    const usedSize = await sizeInSteps(used)
    checkSizes([usedSize], settings)
    return {
      text: used,
      size: usedSize,
      instead: { ...(text === undefined ? {} : { text }), forms: forms.map(stringifyJson) },
    }
  }

  /**
   * @param sees whether the caller may see it: else an error tells nothing of it
   * @throws InvalidArgument where there is no such part
   */
  async part(entry: ValuedEntry, part: Part, sees: boolean): Promise<UsedValue> {
    const whole = async () => this.#divided.get(entry.refId) ?? (await this.#divide(entry))
    const text = stringifyJson(await readPart(this.engine, entry, part, { sees, whole }))
    const size = await sizeInSteps(text)
    checkSizes([size], this.engine.settings)
    return { text, size, instead: {} }
  }

  /** The whole is parsed once for all of its parts. */
  async #divide(entry: ValuedEntry): Promise<Used> {
    await this.memory(entry.valueBytes)
    const json = await readJson(this.engine, entry)
    const { weight } = await sizeInSteps(json)
    checkSizes([{ length: 0, weight }], this.engine.settings)
    await this.memory(weight)
    const divided = await usedOf(this.engine, entry, parseStored(json))
    this.#divided.set(entry.refId, divided)
    return divided
  }
}
