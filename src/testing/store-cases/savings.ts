import assert from 'node:assert/strict'
import type { Store } from '../../stores/store.ts'
import { SAVINGS_KEPT_MS } from '../../stores/store.ts'
import { assertSame, NOW } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

const HOUR = 3_600_000

export const savingsCases: readonly StoreCase[] = [
  {
    title: 'adds up what was saved and what it cost, by cache and hour',
    needs: 'savings',
    async run({ store }) {
      await add(store, 'files', NOW, 100)
      await add(store, 'files', NOW + HOUR, 7)
      await add(store, 'other', NOW, 1)
      await add(store, 'files', NOW, 20)
      assertSame(await since(store, 0), [
        { cacheName: 'files', hour: NOW, ...counts(120) },
        { cacheName: 'other', hour: NOW, ...counts(1) },
        { cacheName: 'files', hour: NOW + HOUR, ...counts(7) },
      ])
    },
  },
  {
    title: 'tells of the hours that began then or later, and of none where nothing was saved',
    needs: 'savings',
    async run({ store }) {
      assert.deepEqual(await since(store, 0), [])
      for (const hour of [2, 0, 1]) await add(store, 'files', NOW + hour * HOUR, hour + 1)
      assert.deepEqual(await keptOutSince(store, NOW + HOUR), [2, 3])
      assert.deepEqual(await keptOutSince(store, NOW + HOUR + 1), [3])
      assert.deepEqual(await keptOutSince(store, NOW + 3 * HOUR), [])
    },
  },
  {
    title: 'keeps savings when their entries go, and drops them with the sweep when they are old',
    needs: 'savings',
    async run({ store }) {
      for (const hour of [0, 1]) await add(store, 'files', NOW + hour * HOUR, hour + 1)
      await store.clear('files')
      await store.prune(NOW + SAVINGS_KEPT_MS - 1, 10)
      assert.deepEqual(await keptOutSince(store, 0), [1, 2])
      await store.prune(NOW + SAVINGS_KEPT_MS, 10)
      assert.deepEqual(await keptOutSince(store, 0), [2])
      await add(store, 'files', NOW + HOUR, 3)
      assert.deepEqual(await keptOutSince(store, 0), [5])
    },
  },
  {
    title: 'adds up what several handles saved at once, and has it when it is opened anew',
    needs: 'sharedSavings',
    async run({ store, secondHandle, reopen }) {
      assert.ok(secondHandle && reopen, 'a shared store needs `secondHandle` and `reopen` in its setup')
      const handles = [store, await secondHandle(), await secondHandle()]
      const adding = Array.from({ length: 30 }, (_, at) => add(handles[at % 3] as Store, 'files', NOW, 1))
      await Promise.all(adding)
      for (const handle of handles) assert.deepEqual(await keptOutSince(handle, 0), [30])
      assert.deepEqual(await keptOutSince(await reopen(), 0), [30])
    },
  },
]

function counts(keptOut: number) {
  return { keptOut, pagedIn: 2 * keptOut, added: 3 * keptOut }
}

function add(store: Store, cacheName: string, hour: number, keptOut: number): Promise<void> {
  assert.ok(store.addSavings, 'a store that keeps savings has `addSavings`')
  return store.addSavings(cacheName, hour, counts(keptOut))
}

async function since(store: Store, from: number) {
  assert.ok(store.savings, 'a store that keeps savings has `savings`')
  return store.savings(from)
}

async function keptOutSince(store: Store, from: number): Promise<number[]> {
  return (await since(store, from)).map(({ keptOut }) => keptOut)
}
