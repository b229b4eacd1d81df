import { describe, expect, it, vi } from 'vitest'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { scene, storeWith } from './scene.ts'

const NOW = Date.UTC(2030, 0, 1)
const HOUR = 3_600_000

/** A store that says how often it was told of savings; its memory stays open when a cache on it closes. */
function watchedStore() {
  const memory = memoryStore()
  const addSavings = vi.fn<NonNullable<Store['addSavings']>>((...args) => memory.addSavings!(...args))
  const hours = async () => (await memory.savings!(0)).map(({ hour, added }) => [hour - NOW, added])
  return { store: storeWith(memory, { addSavings, close: async () => {} }), addSavings, hours }
}

describe('savings that outlive a process', () => {
  it('are written with the next sweep, and not when nothing came to them', async () => {
    const { store, addSavings, hours } = watchedStore()
    const { cache, clock } = scene({ store, sweepInterval: '10s' })
    for (let answers = 0; answers < 100; answers++) cache[ADAPTERS].countAdded(40)
    expect(addSavings).not.toHaveBeenCalled()
    await clock.advance('5s')
    expect(await hours()).toEqual([[0, 1_000]])
    await clock.advance('10m')
    expect(addSavings).toHaveBeenCalledTimes(1)
  })

  it('go to the hour in which they are written, in whole tokens, none twice and none lost', async () => {
    const { store, hours } = watchedStore()
    const { cache, clock } = scene({ store, sweepInterval: '10s' })
    for (let seconds = 0; seconds < 40; seconds++) {
      cache[ADAPTERS].countAdded(1)
      await clock.advance('5s')
    }
    await clock.advance(HOUR)
    cache[ADAPTERS].countAdded(40)
    await clock.advance('5s')
    expect(await hours()).toEqual([
      [0, 10],
      [HOUR, 10],
    ])
    expect(cache[ADAPTERS].savings.added).toBe(20)
  })

  it('are one sum of all processes on the store, written by each at its close', async () => {
    const { store, hours } = watchedStore()
    const caches = [1, 2, 3].map(() => scene({ store }).cache)
    for (const cache of caches) cache[ADAPTERS].countAdded(400)
    await Promise.all(caches.map(cache => cache.close()))
    expect(await hours()).toEqual([[0, 300]])
  })

  it('wait while the store is away, and hold up no close', async () => {
    const { store, addSavings, hours } = watchedStore()
    const { cache, clock } = scene({ store, sweepInterval: '10s', logger: { warn() {}, error() {} } })
    addSavings.mockRejectedValueOnce(new StoreUnavailable('away'))
    cache[ADAPTERS].countAdded(400)
    await clock.advance('5s')
    expect(await hours()).toEqual([])
    cache[ADAPTERS].countAdded(400)
    await clock.advance('5s')
    expect(await hours()).toEqual([[0, 200]])
    addSavings.mockRejectedValueOnce(new StoreUnavailable('away'))
    cache[ADAPTERS].countAdded(400)
    await cache.close()
  })

  it('are no matter where the store keeps none', async () => {
    const without = storeWith(memoryStore(), { addSavings: undefined, savings: undefined } as never)
    const { cache, clock } = scene({ store: without, sweepInterval: '10s' })
    cache[ADAPTERS].countAdded(400)
    await clock.advance('5s')
    expect(await cache[ADAPTERS].savingsSince(new Date(0))).toEqual([])
    expect((await cache.stats()).savings?.added).toBe(100)
    await cache.close()
  })

  it('are shown of one cache alone', async () => {
    const { store } = watchedStore()
    for (const name of ['one', 'other']) {
      const { cache } = scene({ store, name })
      cache[ADAPTERS].countAdded(400)
      await cache.close()
    }
    const { cache, clock } = scene({ store, name: 'one' })
    const found = await cache[ADAPTERS].savingsSince(new Date(clock.now() - HOUR))
    expect(found).toEqual([{ cacheName: 'one', hour: NOW, keptOut: 0, pagedIn: 0, added: 100 }])
  })
})
