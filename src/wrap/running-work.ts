import type { Namespace } from '../access/namespace.ts'
import type { RefId } from '../core/ref.ts'
import type { RefCache } from '../ref-cache.ts'

/** Which namespaces have work of this process that is not finished. Each session over HTTP has one of its own. */
export class RunningWork {
  readonly #tasks = new Map<Namespace, Set<RefId>>()

  constructor(cache: Pick<RefCache, 'on'>) {
    cache.on('task:started', ({ namespace, refId }) => this.#add(namespace, refId))
    cache.on('task:settled', ({ namespace, refId }) => this.#remove(namespace, refId))
    cache.on('entry:deleted', ({ namespace, refId }) => this.#remove(namespace, refId))
  }

  has(namespace: Namespace): boolean {
    return this.#tasks.has(namespace)
  }

  #add(namespace: Namespace, refId: RefId): void {
    const tasks = this.#tasks.get(namespace) ?? new Set()
    this.#tasks.set(namespace, tasks.add(refId))
  }

  #remove(namespace: Namespace, refId: RefId): void {
    const tasks = this.#tasks.get(namespace)
    tasks?.delete(refId)
    if (tasks?.size === 0) this.#tasks.delete(namespace)
  }
}
