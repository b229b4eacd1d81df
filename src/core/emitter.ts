import { InvalidArgument } from './errors.ts'
import { type CacheEvent, type CacheEventType, type CacheListener, checkEventType } from './events.ts'
import { tell } from './listener.ts'

interface Registration {
  readonly listener: (event: CacheEvent) => unknown
  readonly once: boolean
}

/** Tells listeners; one that throws, or rejects, harms nobody. */
export class Emitter {
  readonly #listeners = new Map<CacheEventType | '*', Set<Registration>>()

  /**
   * @param asTold what listeners are told of an event
   * @param publish tells the process of it, beside the listeners
   */
  constructor(
    private readonly asTold: (event: CacheEvent) => CacheEvent = event => event,
    private readonly publish: (event: CacheEvent) => void = () => {},
  ) {}

  on<Type extends CacheEventType | '*'>(type: Type, listener: CacheListener<Type>, once = false): () => void {
    checkEventType(type)
    if (typeof listener !== 'function') throw new InvalidArgument('A listener must be a function.')
    // Each set holds listeners of its own type only. A function that is registered twice is two listeners.
    const own = { listener: listener as (event: CacheEvent) => unknown, once }
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(own))
    return () => listeners.delete(own)
  }

  /** Whether nobody listens to anything. */
  get isUnheard(): boolean {
    for (const { size } of this.#listeners.values()) if (size > 0) return false
    return true
  }

  emit(happened: CacheEvent): void {
    const event = this.asTold(happened)
    this.#tell(event.type, event)
    this.#tell('*', event)
    this.publish(event)
  }

  #tell(type: CacheEventType | '*', event: CacheEvent): void {
    const listeners = this.#listeners.get(type) ?? new Set()
    for (const own of listeners) {
      // First, since the listener may cause the next event.
      if (own.once) listeners.delete(own)
      tell(own.listener, event)
    }
  }
}
