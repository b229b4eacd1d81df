import assert from 'node:assert/strict'
import { InvalidArgument } from '../../core/errors.ts'
import { cacheNameOf } from '../../core/ref.ts'
import { assertBytes, assertSame, bytesOf, complete, NOW, next, pending, put } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

export const claimCases: readonly StoreCase[] = [
  {
    title: 'stores the draft when nobody holds its key',
    async run({ store }) {
      const draft = pending({ key: 'k' })
      const claim = await store.claim(draft, NOW, { input: bytesOf('{}') })
      assert.equal(claim.won, true)
      assertSame(claim.entry, draft)
      assertSame(await store.get(draft.refId), draft)
      assertBytes(await store.read(draft.refId, 'input'), bytesOf('{}'))
    },
  },
  {
    title: 'answers with the entry that holds the key, and stores nothing',
    async run({ store }) {
      const holder = pending({ key: 'k' })
      await put(store, holder)
      const late = pending({ key: 'k' })
      const claim = await store.claim(late, NOW, { input: bytesOf('late') })
      assert.equal(claim.won, false)
      assertSame(claim.entry, holder)
      assert.equal(await store.get(late.refId), undefined)
      assert.equal(await store.read(late.refId, 'input'), undefined)
    },
  },
  {
    title: 'finds what a claim of a key would be answered with, and stores nothing',
    async run({ store }) {
      const holder = complete({ key: 'k', expiresAt: NOW + 10 })
      await put(store, holder)
      const cacheName = cacheNameOf(holder.refId)
      assertSame(await store.findByKey(cacheName, 'k', NOW + 9), holder)
      assert.equal(await store.findByKey(cacheName, 'k', NOW + 10), undefined)
      assert.equal(await store.findByKey(cacheName, 'other', NOW), undefined)
      await store.delete(holder.refId)
      assert.equal(await store.findByKey(cacheName, 'k', NOW), undefined)
    },
  },
  {
    title: 'answers with the current version of the holder',
    async run({ store }) {
      const holder = pending({ key: 'k' })
      await put(store, holder)
      const settled = next(complete({ refId: holder.refId, key: 'k' }))
      assert.equal(await store.update(settled, 1), true)
      assertSame(await store.claim(pending({ key: 'k' }), NOW), { won: false, entry: settled })
    },
  },
  {
    title: 'lets drafts without a key always win',
    async run({ store }) {
      await put(store, complete())
      await put(store, complete({ key: undefined }))
      await put(store, pending())
    },
  },
  {
    title: 'tells keys apart by each character',
    async run({ store }) {
      for (const key of ['k', 'K', 'k ', 'k%', 'k_', 'kk', 'ä', 'a\u0308']) await put(store, pending({ key }))
    },
  },
  {
    title: 'takes a key from an entry that expired, at its last moment and not before',
    async run({ store }) {
      const holder = complete({ key: 'k', expiresAt: NOW + 10 })
      await put(store, holder)
      assertSame(await store.claim(pending({ key: 'k' }), NOW + 9), { won: false, entry: holder })
      const draft = pending({ key: 'k' })
      assertSame(await store.claim(draft, NOW + 10), { won: true, entry: draft })
      assertSame(await store.claim(pending({ key: 'k' }), NOW + 10), { won: false, entry: draft })
    },
  },
  {
    title: 'keeps an entry that lost its key until it is pruned',
    async run({ store }) {
      const expired = complete({ key: 'k', expiresAt: NOW - 1 })
      await put(store, expired, { value: bytesOf('old') })
      await put(store, pending({ key: 'k' }))
      assertSame(await store.get(expired.refId), expired)
      assertBytes(await store.read(expired.refId, 'value'), bytesOf('old'))
      assert.equal((await store.prune(NOW, 10)).length, 1)
      assert.equal(await store.get(expired.refId), undefined)
    },
  },
  {
    title: 'leaves the key with its new holder when the one that lost it goes',
    async run({ store }) {
      const first = complete({ key: 'k', expiresAt: NOW - 2 })
      const second = complete({ key: 'k', expiresAt: NOW - 1 })
      const holder = pending({ key: 'k' })
      for (const draft of [first, second, holder]) await put(store, draft)
      assert.equal(await store.delete(first.refId), true)
      assert.equal((await store.prune(NOW, 10)).length, 1)
      assertSame(await store.claim(pending({ key: 'k' }), NOW), { won: false, entry: holder })
    },
  },
  {
    title: 'never takes a key from an entry without an expiry',
    async run({ store }) {
      const holder = complete({ key: 'k', expiresAt: undefined })
      await put(store, holder)
      const claim = await store.claim(pending({ key: 'k' }), Number.MAX_SAFE_INTEGER)
      assertSame(claim, { won: false, entry: holder })
    },
  },
  {
    title: 'lets exactly one of many concurrent claims win',
    async run({ store }) {
      const drafts = Array.from({ length: 50 }, () => pending({ key: 'k' }))
      const claims = await Promise.all(drafts.map(draft => store.claim(draft, NOW)))
      const winner = claims.filter(claim => claim.won)
      assert.equal(winner.length, 1)
      for (const claim of claims) assertSame(claim.entry, winner[0]?.entry)
      assert.equal((await store.list({ cacheName: 'files' })).length, 1)
    },
  },
  {
    title: 'refuses a draft whose refId is stored already',
    async run({ store }) {
      const stored = complete()
      await put(store, stored)
      await assert.rejects(
        store.claim(complete({ refId: stored.refId, label: 'other' }), NOW),
        InvalidArgument,
      )
      assertSame(await store.get(stored.refId), stored)
    },
  },
  {
    title: 'keeps every character of an entry',
    async run({ store }) {
      const text = 'quote \' " ` \\ % _ \0 \n 雪 👩‍👩‍👧 \u202e \ud800 {} -- ;'
      const draft = complete({ label: text, toolName: text, namespace: text, startedBy: text })
      await put(store, draft)
      assertSame(await store.get(draft.refId), draft)
    },
  },
  {
    title: 'does not share a draft with the caller, nor what it hands out',
    async run({ store }) {
      const history = [{ attempt: 1, error: { code: 'internal' as const, message: 'broke' }, at: NOW }]
      const draft = pending({ key: 'k', retryHistory: history })
      const original = structuredClone(draft)
      const { entry: claimed } = await store.claim(draft, NOW)
      const { entry: hit } = await store.claim(pending({ key: 'k' }), NOW)
      const [listed] = await store.list({ cacheName: 'files' })
      for (const copy of [draft, claimed, hit, listed, await store.get(draft.refId)]) vandalize(copy)
      assertSame(await store.get(draft.refId), original)
    },
  },
]

/** A store may hand out frozen objects; then the attempt fails, which is as good. */
function vandalize(entry: unknown): void {
  const target = entry as { label?: string; policy: object; retryHistory: { error: { message: string } }[] }
  const attempts = [
    () => {
      target.label = 'changed'
    },
    () => target.retryHistory.push({ error: { message: 'changed' } }),
    () => {
      target.retryHistory[0]!.error.message = 'changed'
    },
  ]
  for (const attempt of attempts) {
    try {
      attempt()
    } catch (error) {
      assert.ok(error instanceof TypeError)
    }
  }
}
