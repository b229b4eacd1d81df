import type { RefId } from '../core/ref.ts'

interface Watcher {
  readonly onChange: () => void
  due: boolean
  ended: boolean
}

/** Who listens to which entry. Every store that tells of changes in its own process uses this. */
export class Watchers {
  readonly #byRefId = new Map<RefId, Set<Watcher>>()

  /** How many entries are watched. */
  get size(): number {
    return this.#byRefId.size
  }

  add(refId: RefId, onChange: () => void): () => void {
    const watcher: Watcher = { onChange, due: false, ended: false }
    const watchers = this.#byRefId.get(refId) ?? new Set()
    this.#byRefId.set(refId, watchers.add(watcher))
    return () => {
      watcher.ended = true
      watchers.delete(watcher)
      if (watchers.size === 0 && this.#byRefId.get(refId) === watchers) this.#byRefId.delete(refId)
    }
  }

  notify(refId: RefId): void {
    const watchers = this.#byRefId.get(refId)
    if (watchers) for (const watcher of watchers) tell(watcher)
  }

  notifyAll(): void {
    for (const watchers of this.#byRefId.values()) for (const watcher of watchers) tell(watcher)
  }
}

/** In a microtask of its own: the writer never runs a listener's code, nor meets its errors. */
function tell(watcher: Watcher): void {
  if (watcher.due) return
  watcher.due = true
  queueMicrotask(() => {
    watcher.due = false
    if (!watcher.ended) watcher.onChange()
  })
}
