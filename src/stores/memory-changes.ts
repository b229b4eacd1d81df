import { randomUUID } from 'node:crypto'
import { cacheNameOf } from '../core/ref.ts'
import { type Changes, type EntryChange, KEPT_CHANGES } from './store.ts'
import { changeCursor, positionIn } from './store-cursor.ts'

/** The latest changes in this process, of all caches. */
export class MemoryChanges {
  readonly #history = randomUUID()
  /** The change with number `n`, counted from 0, is at `n % KEPT_CHANGES`. */
  readonly #kept: EntryChange[] = []
  #count = 0

  note(change: EntryChange): void {
    this.#kept[this.#count++ % KEPT_CHANGES] = change
  }

  since(cacheName: string, cursor: string | undefined, limit: number): Changes {
    const from = cursor === undefined ? this.#count : positionIn(this.#history, cursor)
    const isKnown = from !== undefined && from <= this.#count && from >= this.#count - KEPT_CHANGES
    if (!isKnown) return { isComplete: false, changes: [], cursor: this.#cursorAt(this.#count) }
    const changes: EntryChange[] = []
    let position = from
    for (; position < this.#count && changes.length < limit; position++) {
      const change = this.#kept[position % KEPT_CHANGES] as EntryChange
      if (cacheNameOf(change.refId) === cacheName) changes.push(change)
    }
    return { isComplete: true, changes, cursor: this.#cursorAt(position) }
  }

  #cursorAt(position: number): string {
    return changeCursor(this.#history, position)
  }
}
