import type { Namespace } from '../access/namespace.ts'

/** Which namespaces have work of this process that is not finished. Each session over HTTP has one of its own. */
export class RunningWork {
  readonly #running = new Map<Namespace, number>()

  has(namespace: Namespace): boolean {
    return this.#running.has(namespace)
  }

  /** What `work` gives. Until then the namespace has work. */
  async during<T>(namespace: Namespace, work: () => Promise<T>): Promise<T> {
    this.#running.set(namespace, (this.#running.get(namespace) ?? 0) + 1)
    try {
      return await work()
    } finally {
      const rest = (this.#running.get(namespace) ?? 1) - 1
      if (rest > 0) this.#running.set(namespace, rest)
      else this.#running.delete(namespace)
    }
  }
}
