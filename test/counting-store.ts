import type { Store } from '../src/stores/store.ts'

/** What a step cost the store. */
export interface Traffic {
  /** Each operation, in order. */
  readonly operations: string[]
  /** How many of them had to wait for another one. */
  readonly inSequence: number
}

const COUNTED = [
  'claim',
  'findByKey',
  'get',
  'read',
  'stage',
  'readSegment',
  'update',
  'delete',
  'list',
  'clear',
  'prune',
] as const

/** A store that counts what it is asked for; `watch` and what is about the store itself do not count. */
export function countingStore(store: Store) {
  let operations: string[] = []
  let deepest = 0
  const counted: Partial<Record<keyof Store, unknown>> = {}
  for (const name of COUNTED) {
    counted[name] = async (...args: unknown[]) => {
      operations.push(name)
      const depth = deepest + 1
      try {
        return await (store[name] as (...args: unknown[]) => Promise<unknown>).apply(store, args)
      } finally {
        deepest = Math.max(deepest, depth)
      }
    }
  }
  const counting = new Proxy(store, {
    get(target, name) {
      if (name in counted) return counted[name as keyof Store]
      const member = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return {
    store: counting,
    /** What `step` cost, with its outcome. */
    async during<T>(step: () => Promise<T>): Promise<Traffic & { outcome: T }> {
      operations = []
      deepest = 0
      const outcome = await step()
      return { outcome, operations, inSequence: deepest }
    },
  }
}
