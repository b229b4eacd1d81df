import assert from 'node:assert/strict'
import type { RemovedEntry } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import { assertSame, bytesOf, complete, NOW, pending, put, refIdOf, refIdsOf } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

const refId = (entry: { readonly refId: RefId }) => entry.refId
const removed = async (entries: Promise<RemovedEntry[]>) => (await refIdsOf(entries)).sort()

export const removalCases: readonly StoreCase[] = [
  {
    title: 'delete takes the entry, its parts and its hold on the key',
    async run({ store }) {
      const draft = complete({ key: 'k' })
      await put(store, draft, { input: bytesOf('in'), value: bytesOf('out') })
      assert.equal(await store.delete(draft.refId), true)
      assert.equal(await store.delete(draft.refId), false)
      assert.equal(await store.get(draft.refId), undefined)
      await put(store, pending({ key: 'k', refId: draft.refId }))
      assert.equal(await store.read(draft.refId, 'input'), undefined)
      assert.equal(await store.read(draft.refId, 'value'), undefined)
    },
  },
  {
    title: 'clear takes all entries of a cache, whatever their status, and says which',
    async run({ store }) {
      const mine = [pending({ key: 'k' }), complete({ namespace: 'user:a' }), complete({ expiresAt: 1 })]
      const others = ['file', 'files2', 'Files', 'files.a'].map(name => complete({ refId: refIdOf(name, 1) }))
      for (const draft of [...mine, ...others]) await put(store, draft, { value: bytesOf('out') })
      assert.deepEqual(await removed(store.clear('files')), mine.map(refId).sort())
      assert.deepEqual(await store.clear('files'), [])
      assert.deepEqual(await store.list({ cacheName: 'files' }), [])
      for (const { refId } of mine) assert.equal(await store.read(refId, 'value'), undefined)
      for (const { refId } of others) assert.ok(await store.get(refId))
      assert.equal((await store.claim(pending({ key: 'k' }), NOW)).won, true)
    },
  },
  {
    title: 'clear takes one namespace of a cache',
    async run({ store }) {
      const mine = [complete({ namespace: 'user:a' }), pending({ namespace: 'user:a' })]
      const others = ['user:a:session:s', 'user:ab', 'public', 'User:a'].map(namespace =>
        complete({ namespace }),
      )
      const elsewhere = complete({ refId: refIdOf('other', 1), namespace: 'user:a' })
      for (const draft of [...mine, ...others, elsewhere]) await put(store, draft)
      assert.deepEqual(await removed(store.clear('files', 'user:a')), mine.map(refId).sort())
      const left = await refIdsOf(store.list({ cacheName: 'files' }))
      assert.deepEqual(left.sort(), others.map(draft => draft.refId).sort())
      assert.ok(await store.get(elsewhere.refId))
      assert.deepEqual(await store.clear('files', 'user:%'), [])
    },
  },
  {
    title: 'prune takes what expired, of any cache, and says which',
    async run({ store }) {
      const expired = [
        complete({ expiresAt: NOW - 1 }),
        complete({ expiresAt: NOW, refId: refIdOf('other', 1) }),
      ]
      const alive = [complete({ expiresAt: NOW + 1 }), complete({ expiresAt: undefined }), pending()]
      for (const draft of [...expired, ...alive]) await put(store, draft, { value: bytesOf('out') })
      assert.deepEqual(await removed(store.prune(NOW, 100)), expired.map(refId).sort())
      assert.deepEqual(await store.prune(NOW, 100), [])
      for (const { refId } of expired) {
        assert.equal(await store.get(refId), undefined)
        assert.equal(await store.read(refId, 'value'), undefined)
      }
      for (const { refId } of alive) assert.ok(await store.get(refId))
    },
  },
  {
    title: 'clear and prune say of what goes its namespace and tool, and no more',
    async run({ store }) {
      const ofTool = complete({
        namespace: 'user:雪',
        toolName: 'analyze',
        label: 'private words',
        expiresAt: NOW,
      })
      const { refId, namespace, toolName } = ofTool
      await put(store, ofTool)
      assertSame(await store.prune(NOW, 10), [{ refId, namespace, toolName }])
      const other = complete()
      await put(store, other)
      assertSame(await store.clear('files'), [{ refId: other.refId, namespace: other.namespace }])
    },
  },
  {
    title: 'prune takes no more than asked for',
    async run({ store }) {
      for (let i = 0; i < 5; i++) await put(store, complete({ expiresAt: NOW }))
      assert.deepEqual(await store.prune(NOW, 0), [])
      assert.equal((await store.prune(NOW, 2)).length, 2)
      assert.equal((await store.list({ cacheName: 'files' })).length, 3)
      assert.equal((await store.prune(NOW, Number.POSITIVE_INFINITY)).length, 3)
    },
  },
  {
    title: 'prune frees the key',
    async run({ store }) {
      const expired = complete({ key: 'k', expiresAt: NOW })
      await put(store, expired)
      await store.prune(NOW, 100)
      assert.equal((await store.claim(pending({ key: 'k' }), NOW - 1)).won, true)
    },
  },
]
