/** How many requests begin in one turn of the event loop. */
const PER_TURN = 8

/**
 * Lets requests begin a few at a time, and those of different callers in turn: to read a request and to hold it open
 * takes a millisecond or more, so a thousand of one caller at once would keep all others waiting for seconds.
 */
export class FairTurns {
  /** Who waits, by caller; the caller whose turn comes next is the first. */
  readonly #waiting = new Map<string, Array<() => void>>()
  #begun = 0
  #scheduled = false

  constructor(private readonly nextTurn: (callback: () => void) => void = setImmediate) {}

  /** Resolves when a request of this caller may begin: at once where few do. */
  async take(caller: string): Promise<void> {
    this.#schedule()
    if (this.#begun < PER_TURN && this.#waiting.size === 0) {
      this.#begun++
      return
    }
    await new Promise<void>(resolve => {
      const own = this.#waiting.get(caller) ?? []
      own.push(resolve)
      this.#waiting.set(caller, own)
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.nextTurn(() => {
      this.#scheduled = false
      this.#begun = 0
      while (this.#begun < PER_TURN && this.#waiting.size > 0) this.#beginNext()
      if (this.#begun > 0) this.#schedule()
    })
  }

  #beginNext(): void {
    for (const [caller, own] of this.#waiting) {
      this.#begun++
      own.shift()?.()
      this.#waiting.delete(caller)
      // To the end of the row.
      if (own.length > 0) this.#waiting.set(caller, own)
      return
    }
  }
}
