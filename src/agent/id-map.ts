/** A number may be an `ExactNumber`. */
export type RpcId = string | number

/**
 * What is known of requests, by their ids. Two ids that are one double are two ids. A peer that changes the digits of an id when
 * it answers (`1.0` becomes `1`) is still understood.
 */
export class IdMap<Value> {
  readonly #entries = new Map<string, { readonly id: RpcId; readonly value: Value }>()

  set(id: RpcId, value: Value): void {
    this.#entries.set(keyOf(id), { id, value })
  }

  get(id: RpcId): Value | undefined {
    return this.#entries.get(this.#keyLike(id))?.value
  }

  has(id: RpcId): boolean {
    return this.#entries.has(this.#keyLike(id))
  }

  delete(id: RpcId): boolean {
    return this.#entries.delete(this.#keyLike(id))
  }

  clear(): void {
    this.#entries.clear()
  }

  ids(): RpcId[] {
    return [...this.#entries.values()].map(({ id }) => id)
  }

  values(): Value[] {
    return [...this.#entries.values()].map(({ value }) => value)
  }

  /** The key of the id itself, or else of the first that is the same double. */
  #keyLike(id: RpcId): string {
    const key = keyOf(id)
    if (typeof id === 'string' || this.#entries.has(key)) return key
    for (const [other, entry] of this.#entries) {
      if (typeof entry.id !== 'string' && Number(entry.id) === Number(id)) return other
    }
    return key
  }
}

/** Whether both are the same id, to the last digit. */
export function isSameId(one: RpcId, other: RpcId): boolean {
  return keyOf(one) === keyOf(other)
}

/** No number looks like a string. */
function keyOf(id: RpcId): string {
  return typeof id === 'string' ? `"${id}` : String(id)
}
