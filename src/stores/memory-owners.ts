import { type Entry, ownerOf } from '../core/entry.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import { TASKS_AT_ONCE, type TaskOwner } from './store.ts'

interface Tasks {
  readonly all: Set<RefId>
  running: number
}

/** Which processes have tasks in flight, by cache, and their signs of life. */
export class MemoryOwners {
  readonly #byCache = new Map<string, Map<string, Tasks>>()
  readonly #beats = new Map<string, number>()

  /** @param before what was stored in the place of the entry */
  put(entry: Entry, before: Entry | undefined): void {
    const owner = ownerOf(entry)
    const ownerBefore = before && ownerOf(before)
    if (owner === ownerBefore && entry.status === before?.status) return
    if (before) this.drop(before)
    if (owner === undefined) return
    const cacheName = cacheNameOf(entry.refId)
    const owners = this.#byCache.get(cacheName) ?? new Map<string, Tasks>()
    const tasks = owners.get(owner) ?? { all: new Set(), running: 0 }
    tasks.all.add(entry.refId)
    if (entry.status === 'processing') tasks.running++
    this.#byCache.set(cacheName, owners.set(owner, tasks))
  }

  drop(entry: Entry): void {
    const owner = ownerOf(entry)
    const owners = this.#byCache.get(cacheNameOf(entry.refId))
    const tasks = owner === undefined ? undefined : owners?.get(owner)
    if (owner === undefined || !tasks?.all.delete(entry.refId)) return
    if (entry.status === 'processing') tasks.running--
    if (tasks.all.size === 0) owners?.delete(owner)
  }

  beat(process: string): void {
    this.#beats.set(process, (this.#beats.get(process) ?? 0) + 1)
  }

  list(cacheName: string): TaskOwner[] {
    return [...(this.#byCache.get(cacheName) ?? [])].map(([process, { running }]) => {
      const beat = this.#beats.get(process)
      return { process, running, ...(beat === undefined ? {} : { beat }) }
    })
  }

  /** A set that changes meanwhile can be gone through all the same. */
  *tasksOf(cacheName: string, process: string): Generator<RefId[]> {
    let batch: RefId[] = []
    for (const refId of this.#byCache.get(cacheName)?.get(process)?.all ?? []) {
      batch.push(refId)
      if (batch.length < TASKS_AT_ONCE) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }
}
