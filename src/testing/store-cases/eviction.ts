import assert from 'node:assert/strict'
import type { Store } from '../../stores/store.ts'
import { complete, NOW, next, pending, put, until } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'
import { assertUsage, bytes, keptOf, LATER, putAt, settledTask } from './quota-drafts.ts'

export const evictionCases: readonly StoreCase[] = [
  {
    title: 'lets the settled entry go that was used least recently',
    needs: 'quota',
    bounds: { maxEntries: 3 },
    async run({ store }) {
      const [used, unused, newest] = [complete(), complete({ key: 'k' }), complete()]
      for (const [at, draft] of [used, unused, newest].entries()) await putAt(store, draft, NOW + at)
      store.noteUse?.(used.refId, LATER)
      await putAt(store, complete(), LATER + 1)
      assert.deepEqual(await keptOf(store, used, unused, newest), [true, false, true])
      assert.equal(await store.read(unused.refId, 'value'), undefined)
      assert.equal((await store.claim(pending({ key: 'k' }), LATER)).won, true)
    },
  },
  {
    title: 'counts get, read, hits and updates as use',
    needs: 'quota',
    bounds: { maxEntries: 5 },
    async run({ store }) {
      const [got, read, hit, updated] = [
        complete(),
        complete(),
        complete({ key: 'hit', expiresAt: undefined }),
        complete(),
      ]
      const unused = complete()
      const all = [got, read, hit, updated, unused]
      for (const [at, draft] of all.entries()) await putAt(store, draft, NOW + at, { value: bytes(5) })
      assert.equal((await store.claim(pending({ key: 'hit' }), LATER)).won, false)
      await store.get(got.refId)
      await store.read(read.refId, 'value')
      await store.update(next(updated), 1)
      await putAt(store, complete(), LATER + 1)
      assert.deepEqual(await keptOf(store, ...all), [true, true, true, true, false])
    },
  },
  {
    title: 'does not count a look at all entries as use',
    needs: 'quota',
    bounds: { maxEntries: 2 },
    async run({ store }) {
      const [first, second] = [complete(), complete()]
      await putAt(store, first, NOW)
      await putAt(store, second, NOW + 1)
      store.noteUse?.(first.refId, LATER)
      await store.list({ cacheName: 'files' })
      await putAt(store, complete(), LATER + 1)
      assert.deepEqual(await keptOf(store, first, second), [true, false])
    },
  },
  {
    title: 'lets results of tasks that nobody fetched go last, and all others before them',
    needs: 'quota',
    bounds: { maxEntries: 3 },
    async run({ store }) {
      const task = await settledTask(store, NOW)
      const [first, second] = [complete(), complete()]
      await putAt(store, first, LATER)
      await putAt(store, second, LATER + 1)
      await putAt(store, complete(), LATER + 2)
      await putAt(store, complete(), LATER + 3)
      assert.deepEqual(await keptOf(store, task, first, second), [true, false, false])
    },
  },
  {
    title: 'lets a result go in its turn once it was fetched',
    needs: 'quota',
    bounds: { maxEntries: 3 },
    async run({ store }) {
      const [read, told] = [await settledTask(store, NOW), await settledTask(store, NOW)]
      await store.get(read.refId)
      store.noteUse?.(told.refId, NOW + 1)
      const other = complete()
      await putAt(store, other, LATER)
      await putAt(store, complete(), LATER + 1)
      await putAt(store, complete(), LATER + 2)
      assert.deepEqual(await keptOf(store, read, told, other), [false, false, true])
    },
  },
  {
    title: 'lets results that nobody fetched go when there is nothing else, the oldest first',
    needs: 'quota',
    bounds: { maxEntries: 2 },
    async run({ store }) {
      const [oldest, newer] = [await settledTask(store, NOW), await settledTask(store, LATER)]
      const value = complete()
      await putAt(store, value, LATER + 1)
      assert.deepEqual(await keptOf(store, oldest, newer, value), [false, true, true])
    },
  },
  {
    title: 'never lets a task in flight go, nor what was just written',
    needs: 'quota',
    bounds: { maxEntries: 2, maxBytes: 4_000 },
    async run({ store }) {
      const tasks = [pending(), pending(), pending()]
      for (const task of tasks) await put(store, task, { input: bytes(2_000) })
      const value = complete()
      await put(store, value, { value: bytes(2_000) })
      assert.deepEqual(await keptOf(store, ...tasks, value), [true, true, true, true])
      await put(store, pending())
      assert.deepEqual(await keptOf(store, ...tasks, value), [true, true, true, false])
    },
  },
  {
    title: 'tells whoever watches the entry that makes room',
    needs: 'quota',
    bounds: { maxEntries: 1 },
    async run({ store }) {
      const watched = complete()
      await put(store, watched)
      let calls = 0
      store.watch(watched.refId, () => calls++)
      await putAt(store, complete(), NOW + 1)
      await until(() => calls > 0, 'a call')
    },
  },
  {
    title: 'has one quota for all handles, and one order',
    needs: 'sharedQuota',
    bounds: { maxEntries: 3 },
    async run({ store, secondHandle }) {
      const second = await secondHandle!()
      const [first, used, other] = [complete(), complete(), complete()]
      await putAt(store, first, NOW)
      await putAt(store, used, NOW + 1)
      await putAt(second, other, NOW + 2)
      await putAt(second, complete({ expiresAt: undefined }), NOW + 3)
      assert.deepEqual(await keptOf(store, first, used, other), [false, true, true])
      store.noteUse?.(used.refId, LATER)
      await store.prune(LATER, 0)
      await putAt(second, complete(), LATER + 1)
      assert.deepEqual(await keptOf(second, used, other), [true, false])
      assert.deepEqual(await second.usage?.(), await store.usage?.())
    },
  },
  {
    title: 'keeps to its quota while several handles write at once',
    needs: 'sharedQuota',
    bounds: { maxEntries: 5, maxBytes: 100_000 },
    async run({ store, secondHandle }) {
      const handles = [store, await secondHandle!(), await secondHandle!()]
      const fill = async (handle: Store, at: number) => {
        for (let i = 0; i < 10; i++) await putAt(handle, complete(), NOW + at + i, { value: bytes(15_000) })
      }
      await Promise.all(handles.map(fill))
      for (const handle of handles) assert.equal((await handle.usage?.())?.entries, 5)
      await assertUsage(store, 75_000)
      assert.equal((await store.list({ cacheName: 'files' })).length, 5)
    },
  },
]
