import { ValueTooLarge } from '../../core/errors.ts'

/** Told by how many UTF-16 units a text is about to grow, or to shrink. @throws ValueTooLarge where that is too much */
export type Grow = (by: number) => void

/** What a value may still grow by. Every change asks before it is made: copies of copies double each time. */
export class Room {
  #left: number

  constructor(
    length: number,
    private readonly maxLength: number,
  ) {
    this.#left = maxLength - length
  }

  /** @param by UTF-16 units; negative: so many become free */
  grow(by: number): void {
    this.check(by)
    this.#left -= by
  }

  /** Whether it could grow so much: nothing is taken. */
  check(by: number): void {
    if (by > 0 && by > this.#left) {
      throw new ValueTooLarge(
        `With that the value would have ${this.maxLength - this.#left + by} characters, more than the ${this.maxLength} that this cache stores. Put less in.`,
      )
    }
  }
}
