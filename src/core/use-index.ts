import type { RefId } from './ref.ts'

/** Which entries were made of which: how many were made of one is known at once. */
export class UseIndex {
  /** What each was made of, in the order in which they became known. */
  readonly #usesOf = new Map<RefId, readonly RefId[]>()
  readonly #users = new Map<RefId, number>()

  /** @param limit so many entries at most are known that were made of others; then the first goes */
  constructor(private readonly limit: number) {}

  countOf(refId: RefId): number | undefined {
    return this.#users.get(refId)
  }

  /** Gives those that have a user more. */
  add(refId: RefId, uses: readonly RefId[] = []): readonly RefId[] {
    if (uses.length === 0 || this.#usesOf.has(refId)) return []
    const used = [...new Set(uses)]
    this.#usesOf.set(refId, used)
    for (const one of used) this.#users.set(one, (this.#users.get(one) ?? 0) + 1)
    const [oldest] = this.#usesOf.keys()
    if (this.#usesOf.size > this.limit && oldest !== undefined) this.delete(oldest)
    return used
  }

  /** Gives those that have a user less. */
  delete(refId: RefId): readonly RefId[] {
    const used = this.#usesOf.get(refId) ?? []
    this.#usesOf.delete(refId)
    for (const one of used) {
      const left = (this.#users.get(one) ?? 0) - 1
      if (left > 0) this.#users.set(one, left)
      else this.#users.delete(one)
    }
    return used
  }

  clear(): void {
    this.#usesOf.clear()
    this.#users.clear()
  }
}
