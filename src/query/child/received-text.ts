/** A text that is being received: what has come can be read before the rest is there. Positions are in UTF-16 units. */
export class ReceivedText {
  readonly #pieces: string[] = []
  readonly #starts: number[] = []
  #length = 0
  #isWhole = false
  #waiting: Array<{ readonly upTo: number; resolve(): void }> = []

  /** Of what has come. */
  get length(): number {
    return this.#length
  }

  push(piece: string): void {
    this.#starts.push(this.#length)
    this.#pieces.push(piece)
    this.#length += piece.length
    this.#wake()
  }

  /** Nothing more comes. */
  end(): void {
    this.#isWhole = true
    this.#wake()
  }

  /** Waits until that much has come. */
  async slice(start: number, end: number): Promise<string> {
    await this.#received(end)
    let text = ''
    for (let at = this.#pieceAt(start); at < this.#pieces.length; at++) {
      const from = this.#starts[at] as number
      if (from >= end) break
      text += (this.#pieces[at] as string).slice(Math.max(0, start - from), end - from)
    }
    return text
  }

  /** All of it. Its pieces are let go. */
  async takeAll(): Promise<string[]> {
    await this.#received(Number.POSITIVE_INFINITY)
    return this.#pieces.splice(0)
  }

  #received(upTo: number): Promise<void> | undefined {
    if (this.#isWhole || this.#length >= upTo) return undefined
    return new Promise(resolve => this.#waiting.push({ upTo, resolve }))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      if (this.#isWhole || this.#length >= one.upTo) one.resolve()
      else this.#waiting.push(one)
    }
  }

  /** The last piece that does not begin behind a position. */
  #pieceAt(position: number): number {
    let low = 0
    let high = this.#starts.length
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if ((this.#starts[middle] as number) <= position) low = middle
      else high = middle
    }
    return low
  }
}
