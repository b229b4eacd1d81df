import assert from 'node:assert/strict'
import {
  assertBytes,
  assertSame,
  bytesOf,
  complete,
  NOW,
  next,
  pending,
  put,
  refIdsOf,
} from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

export const updateCases: readonly StoreCase[] = [
  {
    title: 'replaces the entry, all of it',
    async run({ store }) {
      const draft = pending({ key: 'k', label: 'before' })
      await put(store, draft)
      const settled = next(complete({ refId: draft.refId, key: 'k' }))
      assert.equal(await store.update(settled, 1), true)
      assertSame(await store.get(draft.refId), settled)
    },
  },
  {
    title: 'keeps what clients wrote into an entry, to the letter',
    async run({ store }) {
      const answer = JSON.parse(
        '{"__proto__":{"a":1},"constructor":[],"empty":{},"nothing":null,"big":1e300}',
      )
      const question = {
        key: 'elicit-1',
        method: 'elicitation/create',
        params: { message: '\u0000\u2028\ud83d' },
      } as const
      const draft = pending()
      await put(store, draft)
      assert.equal(await store.update(next(draft, { questions: [{ ...question, answer }] }), 1), true)
      const [stored] = (await store.get(draft.refId))?.questions ?? []
      assert.equal(JSON.stringify(stored), JSON.stringify({ ...question, answer }))
    },
  },
  {
    title: 'refuses any version but the stored one',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      const second = next(draft)
      assert.equal(await store.update(second, 1), true)
      for (const stale of [0, 1, 3]) assert.equal(await store.update(next(second), stale), false)
      assertSame(await store.get(draft.refId), second)
      assert.equal(await store.update(next(second), 2), true)
    },
  },
  {
    title: 'refuses an entry that is gone, and does not bring it back',
    async run({ store }) {
      const draft = pending({ key: 'k' })
      await put(store, draft)
      await store.delete(draft.refId)
      assert.equal(await store.update(next(draft), 1, { value: bytesOf('x') }), false)
      assert.equal(await store.get(draft.refId), undefined)
      assert.equal(await store.read(draft.refId, 'value'), undefined)
      assert.equal((await store.claim(pending({ key: 'k' }), NOW)).won, true)
    },
  },
  {
    title: 'lets exactly one of many concurrent updates of a version through',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      const updates = Array.from({ length: 20 }, (_, i) => next(draft, { label: `writer ${i}` }))
      const outcomes = await Promise.all(
        updates.map((update, i) => store.update(update, 1, { value: bytesOf(`${i}`) })),
      )
      assert.equal(outcomes.filter(Boolean).length, 1)
      const winner = outcomes.indexOf(true)
      assertSame(await store.get(draft.refId), updates[winner])
      assertBytes(await store.read(draft.refId, 'value'), bytesOf(`${winner}`))
    },
  },
  {
    title: 'releases the key when the entry has none any more',
    async run({ store }) {
      const draft = pending({ key: 'k' })
      await put(store, draft)
      assert.equal(await store.update(next(draft, { key: undefined }), 1), true)
      assert.equal((await store.get(draft.refId))?.key, undefined)
      assert.equal((await store.claim(pending({ key: 'k' }), NOW)).won, true)
    },
  },
  {
    title: 'takes a free key again',
    async run({ store }) {
      const draft = pending({ key: 'k' })
      await put(store, draft)
      const failed = next(draft, { key: undefined })
      assert.equal(await store.update(failed, 1), true)
      const retried = next(failed, { key: 'k' })
      assert.equal(await store.update(retried, 2), true)
      assertSame(await store.claim(pending({ key: 'k' }), NOW), { won: false, entry: retried })
    },
  },
  {
    title: 'refuses a key that another entry holds, and changes nothing',
    async run({ store }) {
      const draft = complete({ key: 'k', expiresAt: NOW - 1 })
      await put(store, draft, { value: bytesOf('old') })
      const holder = pending({ key: 'k' })
      await put(store, holder)
      assert.equal(await store.update(next(draft), 1, { value: bytesOf('new') }), false)
      assertSame(await store.get(draft.refId), draft)
      assertBytes(await store.read(draft.refId, 'value'), bytesOf('old'))
      assertSame(await store.claim(pending({ key: 'k' }), NOW), { won: false, entry: holder })
    },
  },
  {
    title: 'refuses a key even when its holder has expired: only a claim knows the time',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      await put(store, complete({ key: 'k', expiresAt: NOW - 1 }))
      assert.equal(await store.update(next(draft, { key: 'k' }), 1), false)
    },
  },
  {
    title: 'gives an entry that lost its key the key back, once it is free',
    async run({ store }) {
      const draft = complete({ key: 'k', expiresAt: NOW - 1 })
      await put(store, draft)
      const holder = pending({ key: 'k' })
      await put(store, holder)
      await store.delete(holder.refId)
      assert.equal((await store.get(draft.refId))?.key, 'k')
      const renewed = next(draft, { expiresAt: NOW + 1 })
      assert.equal(await store.update(renewed, 1), true)
      assertSame(await store.claim(pending({ key: 'k' }), NOW), { won: false, entry: renewed })
    },
  },
  {
    title: 'moves from one key to another',
    async run({ store }) {
      const draft = pending({ key: 'old' })
      await put(store, draft)
      assert.equal(await store.update(next(draft, { key: 'new' }), 1), true)
      assert.equal((await store.claim(pending({ key: 'old' }), NOW)).won, true)
      assert.equal((await store.claim(pending({ key: 'new' }), NOW)).entry.refId, draft.refId)
    },
  },
  {
    title: 'moves the entry to where lists and prunes now expect it',
    async run({ store }) {
      const draft = pending({ namespace: 'user:a' })
      await put(store, draft)
      const { refId } = draft
      const settled = complete({ refId, namespace: 'user:b', expiresAt: NOW, version: 2 })
      assert.equal(await store.update(settled, 1), true)
      const cacheName = 'files'
      assert.deepEqual(await refIdsOf(store.list({ cacheName, namespace: 'user:a' })), [])
      assert.deepEqual(await refIdsOf(store.list({ cacheName, namespace: 'user:b' })), [refId])
      assert.deepEqual(await refIdsOf(store.list({ cacheName, statuses: ['pending'] })), [])
      assert.deepEqual(await refIdsOf(store.list({ cacheName, statuses: ['complete'] })), [refId])
      assert.equal((await store.prune(NOW, 10)).length, 1)
    },
  },
  {
    title: 'does not share the entry with the caller',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      const update = next(draft, { progress: { current: 1 } } as Partial<typeof draft>)
      const original = structuredClone(update)
      await store.update(update, 1)
      Object.assign((update as unknown as { progress: object }).progress, { current: 99 })
      assertSame(await store.get(draft.refId), original)
    },
  },
]
