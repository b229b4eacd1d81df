const MAX_KEYS = 1_000

/** The keys that gave a hit lately. They decide nothing: the store says who holds a key. */
export class RecentHits {
  readonly #keys = new Set<string>()

  has(key: string | undefined): boolean {
    return key !== undefined && this.#keys.has(key)
  }

  /** Beyond so many, the oldest goes. */
  add(key: string): void {
    this.#keys.add(key)
    if (this.#keys.size <= MAX_KEYS) return
    const [oldest] = this.#keys
    this.#keys.delete(oldest as string)
  }

  delete(key: string): void {
    this.#keys.delete(key)
  }
}
