/** Holds the one who sends while the one who should read does not. */
export class BackPressure {
  #waiting = 0
  #held = false

  constructor(
    private readonly hold: () => void,
    private readonly release: () => void,
  ) {}

  /** @param taken resolves when there is room for more */
  track(taken: Promise<unknown>): void {
    this.#waiting++
    const done = () => {
      if (--this.#waiting > 0 || !this.#held) return
      this.#held = false
      this.release()
    }
    taken.then(done, done)
    // Most of what is sent is taken at once.
    setImmediate(() => {
      if (this.#waiting === 0 || this.#held) return
      this.#held = true
      this.hold()
    })
  }
}
