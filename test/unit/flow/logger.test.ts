import { describe, expect, it } from 'vitest'
import { InvalidArgument, StoreUnavailable } from '../../../src/core/errors.ts'
import type { Logger } from '../../../src/core/logger.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { scene } from './scene.ts'

/** A memory store of which some operations can be made to fail. */
function failingStore() {
  const inner = memoryStore()
  const failing = new Set<keyof Store>()
  let error: unknown = new StoreUnavailable('The disk is full: free some space.')
  const store = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (failing.has(name as keyof Store)) return Promise.reject(error)
        return member.apply(target, args)
      }
    },
  })
  return {
    store,
    fail: (...operations: Array<keyof Store>) => {
      for (const operation of operations) failing.add(operation)
    },
    mend: () => failing.clear(),
    failWith: (given: unknown) => {
      error = given
    },
  }
}

const ALL = ['claim', 'get', 'read', 'update', 'delete', 'list', 'clear', 'prune'] as const

function recording() {
  const lines: string[] = []
  const logger: Logger = {
    warn: message => lines.push(`warn ${message}`),
    error: message => lines.push(`error ${message}`),
  }
  return { lines, logger }
}

describe('logger', () => {
  it('hears once that the store fails, and once that it works again', async () => {
    const { lines, logger } = recording()
    const { store, fail, mend } = failingStore()
    const { cache, clock } = scene({ store, logger })
    fail(...ALL)
    await expect(cache.set('a', 1)).rejects.toThrow()
    await expect(cache.set('a', 1)).rejects.toThrow()
    await clock.advance('1m')
    expect(lines).toEqual(['error The store of the cache cannot be used: The disk is full: free some space.'])
    mend()
    await clock.advance('10s')
    await cache.set('a', 1)
    expect(lines.slice(1)).toEqual([expect.stringMatching(/^warn .*works again, after 6\d s/)])
    await cache.close()
  })

  it('does not take reads that work for the end of a full disk', async () => {
    const { lines, logger } = recording()
    const { store, fail, mend } = failingStore()
    const { cache, clock } = scene({ store, logger })
    const { refId } = await cache.set('a', 1)
    fail('claim', 'update')
    for (let round = 0; round < 10; round++) {
      await expect(cache.set('b', 1)).rejects.toThrow()
      await cache.get(refId)
      await clock.advance('10s')
    }
    expect(lines).toHaveLength(1)
    mend()
    await cache.set('b', 1)
    expect(lines).toHaveLength(2)
    await cache.close()
  })

  it('is not flooded by a store that fails and works in turns', async () => {
    const { lines, logger } = recording()
    const { store, fail, mend } = failingStore()
    const { cache } = scene({ store, logger })
    for (let round = 0; round < 100; round++) {
      fail('claim')
      await expect(cache.set('b', 1)).rejects.toThrow()
      mend()
      await cache.set('b', 1)
    }
    expect(lines).toHaveLength(10)
    await cache.close()
  })

  it('hears nothing of errors that are about what was asked for, nor of a store that was closed', async () => {
    const { lines, logger } = recording()
    const { cache } = scene({ store: memoryStore({ maxBytes: 10 }), logger })
    await expect(cache.set('large', 'x'.repeat(100))).rejects.toThrow()
    await cache.close()
    await expect(cache.get(`t:${'0'.repeat(32)}`)).rejects.toThrow(StoreUnavailable)
    expect(lines).toEqual([])
  })

  it('gets one line without control characters', async () => {
    const { lines, logger } = recording()
    const { store, fail, failWith } = failingStore()
    const { cache } = scene({ store, logger })
    fail('claim')
    failWith(new Error(`no\nmcp-refcache error: forged\u001b[2J${'x'.repeat(10_000)}`))
    await expect(cache.set('b', 1)).rejects.toThrow()
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(/\p{Cc}/u)
    expect(lines[0]?.length).toBeLessThan(1_200)
    await cache.close()
  })

  it('may throw, reject, or need its `this`', async () => {
    class NeedsThis {
      #lines: string[] = []
      error(message: string) {
        this.#lines.push(message)
        throw new Error('logger')
      }
      async warn() {
        throw new Error('logger')
      }
      get lines() {
        return this.#lines
      }
    }
    const logger = new NeedsThis()
    const { store, fail, mend } = failingStore()
    const { cache } = scene({ store, logger })
    fail('claim')
    await expect(cache.set('b', 1)).rejects.toThrow('disk is full')
    mend()
    await cache.set('b', 1)
    expect(logger.lines).toHaveLength(1)
    await cache.close()
  })

  it('is refused at once where it lacks a method', () => {
    expect(() => scene({ logger: { warn: () => {} } as unknown as Logger })).toThrow(InvalidArgument)
  })
})
