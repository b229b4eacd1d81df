/**
 * Waits for the next change. A change that comes while nobody waits is not lost; several of them count as one.
 */
export class Signal {
  #raised = false
  #waiters: Array<() => void> = []

  /** Something changed: everybody who waits goes on, else whoever waits next. */
  notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    this.#raised = waiters.length === 0
    for (const go of waiters) go()
  }

  /** Resolves at the next change; at once when one came since somebody last waited. */
  next(): Promise<void> {
    if (this.#raised) {
      this.#raised = false
      return Promise.resolve()
    }
    return new Promise(resolve => this.#waiters.push(resolve))
  }
}
