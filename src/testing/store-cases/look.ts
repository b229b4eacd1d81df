import assert from 'node:assert/strict'
import { type EntryCount, KEPT_CHANGES, type Store } from '../../stores/store.ts'
import { assertSame, complete, NOW, next, pending, put, refIdOf } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

const cacheName = 'files'

export const lookCases: readonly StoreCase[] = [
  {
    title: 'peeks at entries of any cache, and leaves out what is not there',
    async run({ store }) {
      const drafts = [complete({ refId: refIdOf('a', 1) }), pending({ refId: refIdOf('b', 1) })]
      for (const draft of drafts) await put(store, draft)
      const found = await store.peek([refIdOf('b', 1), refIdOf('b', 2), refIdOf('a', 1)])
      assertSame(
        found.sort((one, other) => (one.refId < other.refId ? -1 : 1)),
        drafts,
      )
      assert.deepEqual(await store.peek([]), [])
    },
  },
  {
    title: 'peeks without using what it sees',
    needs: 'quota',
    bounds: { maxEntries: 3 },
    async run({ store }) {
      const drafts = [1, 2, 3, 4].map(number => complete({ refId: refIdOf(cacheName, number) }))
      for (const draft of drafts.slice(0, 3)) await put(store, draft)
      await store.peek([drafts[0]!.refId])
      await put(store, drafts[3]!)
      assert.equal((await store.peek([drafts[0]!.refId])).length, 0)
    },
  },
  {
    title: 'finds references by how they begin',
    async run({ store }) {
      const refIds = ['a', 'ab', 'b'].flatMap(name => [refIdOf(name, 1), refIdOf(name, 0xffff)])
      for (const refId of refIds) await put(store, complete({ refId }))
      assert.deepEqual(await store.match('a', 10), refIds.slice(0, 4))
      assert.deepEqual(await store.match('a:', 10), refIds.slice(0, 2))
      assert.deepEqual(await store.match(refIds[3]!, 10), [refIds[3]])
      assert.deepEqual(await store.match('', 3), refIds.slice(0, 3))
      for (const none of ['c', 'a:*', 'a:?', '%', 'a_', `${refIds[0]}0`, 'A']) {
        assert.deepEqual(await store.match(none, 10), [], none)
      }
    },
  },
  {
    title: 'knows the caches that have entries',
    async run({ store }) {
      assert.deepEqual(await store.caches(), [])
      for (const name of ['b', 'a.b', 'a', 'b']) {
        await put(store, complete({ refId: refIdOf(name, Math.floor(Math.random() * 1e9)) }))
      }
      assert.deepEqual(await store.caches(), ['a', 'a.b', 'b'])
    },
  },
  {
    title: 'counts by namespace, status and tool what has not expired',
    async run({ store }) {
      const drafts = [
        complete({ namespace: 'user:a', toolName: 'one', valueBytes: 2 }),
        complete({ namespace: 'user:a', toolName: 'one', valueBytes: 3 }),
        complete({ namespace: 'user:a', valueBytes: 5, expiresAt: undefined }),
        complete({ namespace: 'user:a b', toolName: 'one', valueBytes: 7 }),
        pending({ namespace: 'user:a', toolName: 'b one' }),
        complete({ toolName: 'one', expiresAt: NOW }),
        complete({ refId: refIdOf('other', 1) }),
      ]
      for (const draft of drafts) await put(store, draft)
      const task = pending({ namespace: 'user:a', toolName: 'one' })
      await put(store, task)
      const { refId, namespace } = task
      const settled = complete({ refId, namespace, toolName: 'one', version: 2, valueBytes: 11 })
      assert.equal(await store.update(settled, 1), true)
      assert.deepEqual(sorted(await store.count(cacheName, NOW)), [
        { namespace: 'user:a', status: 'complete', toolName: 'one', count: 3, valueBytes: 16 },
        { namespace: 'user:a', status: 'complete', count: 1, valueBytes: 5 },
        { namespace: 'user:a', status: 'pending', toolName: 'b one', count: 1, valueBytes: 0 },
        { namespace: 'user:a b', status: 'complete', toolName: 'one', count: 1, valueBytes: 7 },
      ])
      assert.deepEqual(await store.count('none', NOW), [])
    },
  },
  {
    title: 'tells what was created, changed and deleted since a cursor',
    async run({ store }) {
      const draft = pending()
      const other = complete({ refId: refIdOf('other', 1) })
      const start = await store.changes(cacheName, undefined, 10)
      assert.deepEqual([start.isComplete, start.changes], [true, []])
      const { refId } = await put(store, draft)
      await put(store, other)
      await store.update(next(draft), 1)
      await store.update(next(draft), 1)
      await store.delete(refId)
      await store.delete(refId)
      const all = [
        { refId, what: 'created' },
        { refId, what: 'changed' },
        { refId, what: 'deleted' },
      ]
      const told = await store.changes(cacheName, start.cursor, 10)
      assert.deepEqual(told.changes, all)
      assert.deepEqual(await allChanges(store, start.cursor, 1), all)
      const since = await store.changes(cacheName, told.cursor, 10)
      assert.deepEqual([since.isComplete, since.changes], [true, []])
      const elsewhere = await store.changes('other', undefined, 10)
      await store.clear('other')
      const cleared = await store.changes('other', elsewhere.cursor, 10)
      assert.deepEqual(cleared.changes, [{ refId: other.refId, what: 'deleted' }])
    },
  },
  {
    title: 'tells of what was pruned and cleared',
    async run({ store }) {
      const [one, two] = [complete({ expiresAt: NOW }), complete({ namespace: 'user:a' })]
      for (const draft of [one, two]) await put(store, draft)
      const { cursor } = await store.changes(cacheName, undefined, 10)
      await store.prune(NOW, 10)
      await store.clear(cacheName, 'user:a')
      assert.deepEqual((await store.changes(cacheName, cursor, 10)).changes, [
        { refId: one.refId, what: 'deleted' },
        { refId: two.refId, what: 'deleted' },
      ])
    },
  },
  {
    title: 'does not tell of looking',
    async run({ store }) {
      const { refId } = await put(store, complete())
      const { cursor } = await store.changes(cacheName, undefined, 10)
      for (const look of [() => store.get(refId), () => store.peek([refId]), () => store.list({ cacheName })])
        await look()
      store.noteUse?.(refId, NOW + 3_600_000)
      await store.prune(NOW, 10)
      assert.deepEqual((await store.changes(cacheName, cursor, 10)).changes, [])
    },
  },
  {
    title: 'says when a cursor is too old, or not its own',
    async run({ store }) {
      const drafts = Array.from({ length: KEPT_CHANGES / 50 }, () => pending())
      for (const draft of drafts) await put(store, draft)
      const { cursor } = await store.changes(cacheName, undefined, 10)
      let version = 1
      const changeAll = async () => {
        await Promise.all(drafts.map(draft => store.update({ ...draft, version: version + 1 }, version)))
        version++
      }
      while (version <= 50) await changeAll()
      assert.equal((await store.changes(cacheName, cursor, 1)).isComplete, true)
      // A store may know some more.
      while (version <= 60) await changeAll()
      const late = await store.changes(cacheName, cursor, 10)
      assert.deepEqual([late.isComplete, late.changes], [false, []])
      for (const wrong of ['', 'nonsense', `${cursor}0`, `x${cursor}`, '9'.repeat(40)]) {
        assert.equal((await store.changes(cacheName, wrong, 10)).isComplete, false, wrong)
      }
      const { cursor: anew } = late
      const { refId } = await put(store, complete())
      const since = await store.changes(cacheName, anew, 10)
      assert.deepEqual(since.changes, [{ refId, what: 'created' }])
    },
  },
  {
    title: 'tells each handle what the other one changed',
    needs: 'shared',
    async run({ store, secondHandle }) {
      const second = await secondHandle?.()
      const { cursor } = await store.changes(cacheName, undefined, 10)
      const draft = pending()
      if (second) await put(second, draft)
      const told = await store.changes(cacheName, cursor, 10)
      assert.deepEqual(told.changes, [{ refId: draft.refId, what: 'created' }])
      assert.equal((await second?.changes(cacheName, told.cursor, 10))?.isComplete, true)
    },
  },
]

async function allChanges(store: Store, from: string, limit: number) {
  const found: unknown[] = []
  for (let cursor = from; ; ) {
    const told = await store.changes(cacheName, cursor, limit)
    assert.equal(told.isComplete, true)
    if (told.changes.length === 0) return found
    found.push(...told.changes)
    cursor = told.cursor
  }
}

function sorted(counts: readonly EntryCount[]): EntryCount[] {
  const nameOf = ({ namespace, status, toolName = '~' }: EntryCount) =>
    [namespace, status, toolName].join('\n')
  return [...counts].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
}
