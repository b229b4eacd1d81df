import type { RefId } from '../core/ref.ts'
import type { OnChange } from './store.ts'

interface Watcher {
  readonly onChange: OnChange
  /** A call is on its way, with the version that is to be told. */
  due: { version: number | undefined } | undefined
  ended: boolean
}

/** Who listens to which entry. Every store that tells of changes in its own process uses this. */
export class Watchers {
  /** Mostly there is one: lists are smaller than sets. */
  readonly #byRefId = new Map<RefId, Watcher[]>()

  /** How many entries are watched. */
  get size(): number {
    return this.#byRefId.size
  }

  add(refId: RefId, onChange: OnChange): () => void {
    const watcher: Watcher = { onChange, due: undefined, ended: false }
    const watchers = this.#byRefId.get(refId)
    if (watchers) watchers.push(watcher)
    else this.#byRefId.set(refId, [watcher])
    return () => this.#remove(refId, watcher)
  }

  #remove(refId: RefId, watcher: Watcher): void {
    watcher.ended = true
    const watchers = this.#byRefId.get(refId)
    const at = watchers?.indexOf(watcher) ?? -1
    if (!watchers || at < 0) return
    watchers.splice(at, 1)
    if (watchers.length === 0) this.#byRefId.delete(refId)
  }

  /** @param version the entry's, now; without it, listeners cannot know what changed */
  notify(refId: RefId, version?: number): void {
    const watchers = this.#byRefId.get(refId)
    if (watchers) for (const watcher of watchers) tell(watcher, version)
  }

  notifyAll(): void {
    for (const watchers of this.#byRefId.values()) for (const watcher of watchers) tell(watcher)
  }
}

/** In a microtask of its own: the writer never runs a listener's code, nor meets its errors. */
function tell(watcher: Watcher, version?: number): void {
  if (watcher.due) {
    watcher.due.version = newest(watcher.due.version, version)
    return
  }
  const due = { version }
  watcher.due = due
  queueMicrotask(() => {
    watcher.due = undefined
    if (!watcher.ended) watcher.onChange(due.version)
  })
}

/** Of two changes. Where one of them is unknown, what holds now is. */
function newest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other)
}
