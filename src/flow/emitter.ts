import type { CacheEvent, CacheEventType, CacheListener } from '../core/events.ts'

/** Tells listeners; one that throws harms nobody. */
export class Emitter {
  readonly #listeners = new Map<CacheEventType, Set<(event: CacheEvent) => void>>()

  on<Type extends CacheEventType>(type: Type, listener: CacheListener<Type>): () => void {
    // Each set holds listeners of its own type only.
    const own = listener as (event: CacheEvent) => void
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(own))
    return () => listeners.delete(own)
  }

  emit(event: CacheEvent): void {
    for (const listener of this.#listeners.get(event.type) ?? []) {
      try {
        listener(event)
      } catch {
        // The listener's own affair.
      }
    }
  }
}
