/** Numbers of a block. */
const BLOCK = 16 * 1024

/** A list of numbers that may become millions: it grows without being copied, which takes long at once. */
export class NumberList implements Numbers {
  readonly #blocks: Float64Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    const at = this.#length++
    if (at % BLOCK === 0) this.#blocks.push(new Float64Array(BLOCK))
    const block = this.#blocks[Math.floor(at / BLOCK)] as Float64Array
    block[at % BLOCK] = value
  }

  at(index: number): number | undefined {
    if (index < 0 || index >= this.#length) return undefined
    return this.#blocks[Math.floor(index / BLOCK)]?.[index % BLOCK]
  }
}

/** Numbers to look up; a plain list will do. */
export interface Numbers {
  readonly length: number
  at(index: number): number | undefined
}
