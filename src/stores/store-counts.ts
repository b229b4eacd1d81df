import type { EntryCount } from './store.ts'

/** Adds up what was counted, kind by kind. */
export class Counts {
  readonly #byKind = new Map<string, EntryCount>()

  get all(): EntryCount[] {
    return [...this.#byKind.values()]
  }

  add({ namespace, status, toolName, count, valueBytes }: EntryCount): void {
    // No two kinds have one name: neither a status nor a length has a space.
    const kind = `${status} ${namespace.length} ${namespace}${toolName === undefined ? '' : ` ${toolName}`}`
    const before = this.#byKind.get(kind)
    this.#byKind.set(kind, {
      namespace,
      status,
      ...(toolName === undefined ? {} : { toolName }),
      count: count + (before?.count ?? 0),
      valueBytes: valueBytes + (before?.valueBytes ?? 0),
    })
  }
}
