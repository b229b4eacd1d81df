import type { CacheEvent, CacheEventType, CacheListener } from '../core/events.ts'
import { tell } from '../core/listener.ts'

interface Registration {
  readonly listener: (event: CacheEvent) => unknown
}

/** Tells listeners; one that throws, or rejects, harms nobody. */
export class Emitter {
  readonly #listeners = new Map<CacheEventType, Set<Registration>>()

  on<Type extends CacheEventType>(type: Type, listener: CacheListener<Type>): () => void {
    // Each set holds listeners of its own type only. A function that is registered twice is two listeners.
    const own = { listener: listener as (event: CacheEvent) => unknown }
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(own))
    return () => listeners.delete(own)
  }

  /** @param asTold what listeners are told of an event */
  constructor(private readonly asTold: (event: CacheEvent) => CacheEvent = event => event) {}

  emit(happened: CacheEvent): void {
    const event = this.asTold(happened)
    for (const { listener } of this.#listeners.get(event.type) ?? []) tell(listener, event)
  }
}
