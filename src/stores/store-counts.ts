import type { EntryCount } from './store.ts'

type Kind = Pick<EntryCount, 'namespace' | 'status' | 'toolName'>
interface Tally {
  count: number
  valueBytes: number
}

/** Adds up what was counted, kind by kind. Cheap for each entry: there may be millions, of a few kinds. */
export class Counts {
  readonly #byStatus = new Map<Kind['status'], Map<string, Map<string | undefined, Tally>>>()

  get all(): EntryCount[] {
    const all: EntryCount[] = []
    for (const [status, byNamespace] of this.#byStatus) {
      for (const [namespace, byTool] of byNamespace) {
        for (const [toolName, tally] of byTool) {
          all.push({ namespace, status, ...(toolName === undefined ? {} : { toolName }), ...tally })
        }
      }
    }
    return all
  }

  add({ namespace, status, toolName }: Kind, { count, valueBytes }: Tally): void {
    const byNamespace = own(this.#byStatus, status, () => new Map())
    const tally = own(
      own(byNamespace, namespace, () => new Map()),
      toolName,
      () => ({ count: 0, valueBytes: 0 }),
    )
    tally.count += count
    tally.valueBytes += valueBytes
  }
}

function own<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
