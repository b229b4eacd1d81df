import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../src/core/errors.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { complete, NOW, next, pending, put, until } from '../../src/testing/store-drafts.ts'

const KB = new Uint8Array(1024)

describe('the bounds of the memory store', () => {
  it('let the least recently used entry go', async () => {
    const store = memoryStore({ maxEntries: 3 })
    const [first, second, third] = [complete({ key: 'k' }), complete(), complete()]
    for (const draft of [first, second, third]) await put(store, draft)
    await put(store, complete())
    expect(await keptOf(store, first, second, third)).toEqual([false, true, true])
    expect((await store.claim(pending({ key: 'k' }), NOW)).won).toBe(true)
  })

  it.each<[string, (store: Store, refId: string) => Promise<unknown>]>([
    ['get', (store, refId) => store.get(refId)],
    ['read', (store, refId) => store.read(refId, 'value')],
    ['a claim that hits', store => store.claim(pending({ key: 'used' }), NOW)],
    ['update', (store, refId) => store.update(next(complete({ refId, key: 'used' })), 1)],
  ])('count %s as use', async (_, use) => {
    const store = memoryStore({ maxEntries: 2 })
    const [used, unused] = [complete({ key: 'used' }), complete()]
    await put(store, used)
    await put(store, unused)
    await use(store, used.refId)
    await put(store, complete())
    expect(await keptOf(store, used, unused)).toEqual([true, false])
  })

  it('count the bytes of all parts, and forget those of what went', async () => {
    const store = memoryStore({ maxBytes: 4 * KB.length })
    const [first, second] = [complete(), complete()]
    await put(store, first, { input: KB, value: KB })
    await put(store, second, { value: KB })
    await store.update(next(second), 1, { value: new Uint8Array(2 * KB.length) })
    expect(await keptOf(store, first, second)).toEqual([true, true])
    await store.update(next(second, { version: 3 }), 2, { input: KB })
    expect(await keptOf(store, first, second)).toEqual([false, true])
    await store.delete(second.refId)
    const four = [complete(), complete(), complete(), complete()]
    for (const draft of four) await put(store, draft, { value: KB })
    expect(await keptOf(store, ...four)).toEqual([true, true, true, true])
  })

  it('never drop a task in flight, nor what was just written', async () => {
    const store = memoryStore({ maxEntries: 2, maxBytes: 2 * KB.length })
    const tasks = [pending(), pending(), pending()]
    for (const task of tasks) await put(store, task, { input: KB })
    const value = complete()
    await put(store, value, { value: KB })
    expect(await keptOf(store, ...tasks, value)).toEqual([true, true, true, true])
    await put(store, pending())
    expect(await keptOf(store, ...tasks, value)).toEqual([true, true, true, false])
  })

  it('drop a task that has settled and was fetched, in its turn', async () => {
    const store = memoryStore({ maxEntries: 2 })
    const task = pending()
    await put(store, task)
    await store.update(next(complete({ refId: task.refId })), 1)
    await store.get(task.refId)
    await put(store, complete())
    await put(store, complete())
    expect(await keptOf(store, task)).toEqual([false])
  })

  it('tell whoever watches the entry that goes', async () => {
    const store = memoryStore({ maxEntries: 1 })
    const watched = complete()
    await put(store, watched)
    let calls = 0
    store.watch(watched.refId, () => calls++)
    await put(store, complete())
    await until(() => calls > 0, 'a call')
  })

  it.each([0, -1, 1.5, Number.NaN])('cannot be %s', bound => {
    expect(() => memoryStore({ maxEntries: bound })).toThrow(InvalidArgument)
    expect(() => memoryStore({ maxBytes: bound })).toThrow(InvalidArgument)
  })
})

/** By list, which is no use of the entries. */
async function keptOf(store: Store, ...drafts: { refId: string }[]): Promise<boolean[]> {
  const kept = new Set((await store.list({ cacheName: 'files' })).map(entry => entry.refId))
  return drafts.map(({ refId }) => kept.has(refId))
}
