import { expect, it } from 'vitest'
import { StoreFull, ValueTooLarge } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { scene } from './scene.ts'

const large = (count: number) => Array.from({ length: count }, (_, n) => ({ n, text: 'x'.repeat(90) }))

it('a value that is larger than the quota is refused, and what was stored of it goes', async () => {
  const { cache } = scene({ store: memoryStore({ maxBytes: 300_000 }) })
  await expect(cache.set('too large', large(10_000))).rejects.toThrow(ValueTooLarge)
  expect((await cache.stats()).store).toMatchObject({ entries: 0, bytes: 0, maxBytes: 300_000 })
  const { refId } = await cache.set('fits', large(2_000))
  expect(await cache.resolve(refId)).toHaveLength(2_000)
})

it('a value that has no room beside tasks in flight is refused with advice, and has it when they end', async () => {
  const { cache, clock } = scene({ store: memoryStore({ maxBytes: 300_000 }) })
  const task = cache.cached({ name: 'slow', asyncTimeout: 0 }, (_: { text: string }) => new Promise(() => {}))
  const { refId } = await task({ text: 'y'.repeat(150_000) })
  await clock.advance(0)
  await expect(cache.set('large', large(2_000))).rejects.toThrow(StoreFull)
  await cache.delete(refId)
  expect(await cache.resolve((await cache.set('large', large(2_000))).refId)).toHaveLength(2_000)
})

it('a result that its caller was given makes room before one that nobody fetched', async () => {
  const { cache, clock } = scene({ store: memoryStore({ maxEntries: 3 }) })
  const slow = cache.cached({ name: 'slow', asyncTimeout: 0, memoize: false }, () => 'slow')
  const quick = cache.cached({ name: 'quick' }, () => 'quick')
  const unfetched = (await slow({})).refId
  await clock.advance(0)
  const { refId: given } = await quick({})
  for (const label of ['a', 'b']) await cache.set(label, label)
  expect(await cache.exists(given)).toBe(false)
  expect(await cache.get(unfetched)).toMatchObject({ value: 'slow' })
})

it('a store that does not say how full it is, is left out of the statistics', async () => {
  const silent = Object.assign(memoryStore(), { usage: undefined, noteUse: undefined })
  const { cache } = scene({ store: silent as Store })
  expect(await cache.resolve((await cache.set('a', 1)).refId)).toBe(1)
  expect(await cache.stats()).not.toHaveProperty('store')
})
