import type { Entry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { PayloadChanges, Store } from '../stores/store.ts'

interface Followed {
  readonly listeners: Set<{ readonly onChange: () => void }>
  /** As this process last wrote or read it; absent when the store told of a change that it does not know. */
  latest: Entry | undefined
  /** The newest version that the store told of. */
  told: number
  /** How often the store told of a change without its version. */
  doubts: number
  /** A change by this process that is under way; it does not reject. */
  writing: Promise<unknown> | undefined
  reading: Promise<Entry | undefined> | undefined
  stopWatching: () => void
}

/**
 * The entries that this process follows, each as it last saw it. What this process wrote itself is not read again, and what another
 * one wrote is read once for all who follow. It decides nothing: every change is stored by version.
 */
export class FollowedEntries {
  readonly #followed = new Map<RefId, Followed>()

  constructor(private readonly store: Store) {}

  /**
   * Calls `onChange` soon after each change, until the returned function is called.
   * @param known the entry, where the caller has just written or received it
   */
  follow(refId: RefId, onChange: () => void, known?: Entry): () => void {
    const followed = this.#followed.get(refId) ?? this.#begin(refId)
    const listener = { onChange }
    followed.listeners.add(listener)
    if (known) this.saw(known)
    return () => {
      followed.listeners.delete(listener)
      if (followed.listeners.size > 0 || this.#followed.get(refId) !== followed) return
      this.#followed.delete(refId)
      followed.stopWatching()
    }
  }

  /** The entry as it is, as far as this process knows. */
  latest(refId: RefId): Entry | undefined {
    return this.#followed.get(refId)?.latest
  }

  /** This process has just written or read it. */
  saw(entry: Entry): void {
    const followed = this.#followed.get(entry.refId)
    if (!followed || entry.version < Math.max(followed.told, followed.latest?.version ?? 0)) return
    followed.latest = entry
  }

  /** Stores a changed entry by version. Who reads it meanwhile waits for the outcome. */
  async update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    const followed = this.#followed.get(entry.refId)
    const updating = this.store.update(entry, expectedVersion, parts)
    if (!followed) return updating
    const { doubts } = followed
    const writing = updating.then(
      stored => {
        if (stored && followed.doubts === doubts) this.saw(entry)
      },
      () => {},
    )
    followed.writing = writing
    void writing.then(() => {
      if (followed.writing === writing) followed.writing = undefined
    })
    await writing
    return updating
  }

  /** The entry, from the store only where this process does not know it. */
  async read(refId: RefId): Promise<Entry | undefined> {
    const followed = this.#followed.get(refId)
    if (!followed) return this.store.get(refId)
    await followed.writing
    if (followed.latest) return followed.latest
    if (followed.reading) return followed.reading
    const reading = this.store.get(refId)
    followed.reading = reading
    try {
      const entry = await reading
      // Unless something changed while it was read.
      if (entry && followed.reading === reading) this.saw(entry)
      return entry
    } finally {
      if (followed.reading === reading) followed.reading = undefined
    }
  }

  /** The entry as the store has it now. */
  readAnew(refId: RefId): Promise<Entry | undefined> {
    this.doubt(refId)
    return this.read(refId)
  }

  /** What this process knows may be old: the next to read it asks the store. */
  doubt(refId: RefId): void {
    const followed = this.#followed.get(refId)
    if (!followed) return
    followed.doubts++
    followed.latest = undefined
    followed.reading = undefined
  }

  #begin(refId: RefId): Followed {
    const followed: Followed = {
      listeners: new Set(),
      latest: undefined,
      told: 0,
      doubts: 0,
      writing: undefined,
      reading: undefined,
      stopWatching: () => {},
    }
    this.#followed.set(refId, followed)
    followed.stopWatching = this.store.watch(refId, version => {
      if (version === undefined) this.doubt(refId)
      else if (version > (followed.latest?.version ?? 0)) followed.latest = followed.reading = undefined
      followed.told = Math.max(followed.told, version ?? 0)
      for (const { onChange } of [...followed.listeners]) onChange()
    })
    return followed
  }
}
