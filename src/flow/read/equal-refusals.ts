import type { Actor } from '../../access/actor.ts'
import { type Access, READ_OR_EXECUTE } from '../../access/authorize.ts'
import { createRefId, type RefId } from '../../core/ref.ts'
import type { Store } from '../../stores/store.ts'

/** How many entries stand in for those that are missed. */
const MOST = 64

/**
 * Keeps the time of a refusal from telling whether the entry exists. To find an entry and to decide on its policy takes
 * longer than to miss one. So each refusal does the other lookup too: after a hit that of a missing reference, after a
 * miss that of an entry that was refused lately, in turn.
 */
export class EqualRefusals {
  readonly #missing: RefId
  readonly #present: RefId[] = []
  #turn = 0

  constructor(
    private readonly store: Store,
    private readonly access: Access,
    cacheName: string,
  ) {
    this.#missing = createRefId(cacheName, size => new Uint8Array(size))
  }

  /** An entry was found: until one is refused it stands in for those that are missed. */
  noteEntry(refId: RefId): void {
    if (this.#present.length === 0) this.#present.push(refId)
  }

  /** @param refused the entry that was there, or nothing */
  async equalize(refused: RefId | undefined, who: Actor): Promise<void> {
    this.#turn = (this.#turn + 1) % MOST
    const standIn = refused === undefined ? this.#present[this.#turn % this.#present.length] : undefined
    // The store's failure is no answer to the question that was asked.
    const entry = await this.store.get(standIn ?? this.#missing).catch(() => undefined)
    this.access.decide(entry, who, READ_OR_EXECUTE)
    if (refused !== undefined) this.#present[Math.min(this.#turn, this.#present.length)] = refused
    else if (standIn !== undefined && !entry) this.#forget(standIn)
  }

  #forget(refId: RefId): void {
    const place = this.#present.indexOf(refId)
    if (place >= 0) this.#present.splice(place, 1)
  }
}
