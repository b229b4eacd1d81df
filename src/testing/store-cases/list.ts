import assert from 'node:assert/strict'
import type { RefId } from '../../core/ref.ts'
import type { Store } from '../../stores/store.ts'
import { assertSame, complete, NOW, pending, put, refIdOf, refIdsOf } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

const cacheName = 'files'

/** Namespaces that a pattern, a prefix, a quote or an encoding could take for one another. */
const NAMESPACES = [
  'public',
  'Public',
  'user:a',
  'user:ab',
  'user:a:session:s',
  'user:%',
  'user:_',
  'user:*',
  "user:'",
  'user:"',
  'user:\\',
  'user:é',
  'user:e\u0301',
  'user:👻',
  'user:\ud800',
  'user:\ud801',
  'user:\ufffd',
  'user:\0',
  `user:${'x'.repeat(500)}`,
  '',
]

export const listCases: readonly StoreCase[] = [
  {
    title: 'gives entries whole, in order of refId',
    async run({ store }) {
      const drafts = [5, 1, 255, 16, 3].map(number =>
        complete({ refId: refIdOf(cacheName, number), label: '雪' }),
      )
      for (const draft of drafts) await put(store, draft)
      const sorted = drafts.sort((a, b) => (a.refId < b.refId ? -1 : 1))
      assertSame(await store.list({ cacheName }), sorted)
    },
  },
  {
    title: 'gives the entries of one cache only',
    async run({ store }) {
      const names = ['a', 'A', 'a-b', 'a.b', 'a_b', 'ab', 'b', '0', 'a0']
      for (const name of names) await put(store, complete({ refId: refIdOf(name, 1) }))
      for (const name of names) {
        assert.deepEqual(await refIdsOf(store.list({ cacheName: name })), [refIdOf(name, 1)])
      }
      assert.deepEqual(await store.list({ cacheName: 'none' }), [])
    },
  },
  {
    title: 'gives at most 100 entries, or as many as asked for',
    async run({ store }) {
      for (let number = 0; number < 105; number++)
        await put(store, complete({ refId: refIdOf(cacheName, number) }))
      const counts = [undefined, 0, 1, 104, 1000].map(async limit => {
        const found = await store.list(limit === undefined ? { cacheName } : { cacheName, limit })
        return found.length
      })
      assert.deepEqual(await Promise.all(counts), [100, 0, 1, 104, 105])
    },
  },
  {
    title: 'goes on after a cursor, whether that entry is still there or not',
    async run({ store }) {
      const refIds = Array.from({ length: 10 }, (_, number) => refIdOf(cacheName, number))
      for (const refId of refIds) await put(store, complete({ refId }))
      assert.deepEqual(await allPages(store, 3), refIds)
      await store.delete(refIds[4]!)
      assert.deepEqual(await refIdsOf(store.list({ cacheName, after: refIds[4]! })), refIds.slice(5))
      assert.deepEqual(await store.list({ cacheName, after: refIds[9]! }), [])
    },
  },
  {
    title: 'filters by status',
    async run({ store }) {
      const waiting = pending()
      const done = complete()
      const running = { ...pending(), status: 'processing' as const, startedAt: NOW }
      for (const draft of [waiting, done, running]) await put(store, draft)
      const found = async (...statuses: Parameters<Store['list']>[0]['statuses'] & object) =>
        (await refIdsOf(store.list({ cacheName, statuses }))).sort()
      assert.deepEqual(await found('complete'), [done.refId])
      assert.deepEqual(await found('pending', 'processing'), [waiting.refId, running.refId].sort())
      assert.deepEqual(await found('failed'), [])
      assert.deepEqual(await found(), [])
    },
  },
  {
    title: 'tells namespaces apart by each character',
    async run({ store }) {
      const byNamespace = new Map<string, RefId>()
      for (const namespace of NAMESPACES) {
        const draft = complete({ namespace })
        byNamespace.set(namespace, draft.refId)
        await put(store, draft)
      }
      for (const [namespace, refId] of byNamespace) {
        assert.deepEqual(
          await refIdsOf(store.list({ cacheName, namespace })),
          [refId],
          JSON.stringify(namespace),
        )
      }
    },
  },
  {
    title: 'combines all filters',
    async run({ store }) {
      const draft = (number: number, namespace: string) =>
        pending({ refId: refIdOf(cacheName, number), namespace })
      for (let number = 0; number < 6; number++) await put(store, draft(number, 'user:a'))
      await put(store, draft(6, 'user:b'))
      await put(store, pending({ refId: refIdOf('other', 3), namespace: 'user:a' }))
      await put(store, complete({ refId: refIdOf(cacheName, 7), namespace: 'user:a' }))
      const found = store.list({
        cacheName,
        namespace: 'user:a',
        statuses: ['pending'],
        after: refIdOf(cacheName, 1),
        limit: 3,
      })
      assert.deepEqual(
        await refIdsOf(found),
        [2, 3, 4].map(number => refIdOf(cacheName, number)),
      )
    },
  },
  {
    title: 'hands out entries past their expiry',
    async run({ store }) {
      const expired = complete({ expiresAt: 1 })
      await put(store, expired)
      assertSame(await store.list({ cacheName }), [expired])
      assertSame(await store.get(expired.refId), expired)
    },
  },
]

async function allPages(store: Store, limit: number): Promise<RefId[]> {
  const found: RefId[] = []
  for (let after: RefId | undefined; ; after = found.at(-1)) {
    const page = await refIdsOf(store.list({ cacheName, limit, ...(after === undefined ? {} : { after }) }))
    if (page.length === 0) return found
    found.push(...page)
  }
}
