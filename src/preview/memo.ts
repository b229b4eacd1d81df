/** Keys that are kept: a few facts, and the latest layouts. */
const MOST_KEPT = 12

/** Remembers what was computed about one value. */
export class Memo {
  readonly #kept = new Map<string, Promise<unknown>>()

  /** Computes once, also for those who ask meanwhile; keeps the latest few answers, and no failure. @internal */
  remember<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(key) as Promise<T> | undefined
    const answer = known ?? compute()
    this.#kept.delete(key)
    this.#kept.set(key, answer)
    if (known === undefined) {
      answer.catch(() => this.#kept.delete(key))
      if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value as string)
    }
    return answer
  }

  /** How many answers are kept. @internal */
  get remembered(): number {
    return this.#kept.size
  }
}
