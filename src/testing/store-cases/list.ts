import assert from 'node:assert/strict'
import type { Entry } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import type { ListFilter, Place, Store } from '../../stores/store.ts'
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
    title: 'gives entries whole, in order of creation, and of refId where that is the same',
    async run({ store }) {
      const drafts = [
        complete({ refId: refIdOf(cacheName, 9), createdAt: NOW - 0.25, label: '雪' }),
        complete({ refId: refIdOf(cacheName, 2), createdAt: NOW }),
        complete({ refId: refIdOf(cacheName, 255), createdAt: NOW }),
        complete({ refId: refIdOf(cacheName, 1), createdAt: NOW + 1 }),
      ]
      for (const at of [2, 3, 0, 1]) await put(store, drafts[at]!)
      assertSame(await store.list({ cacheName }), drafts)
      assertSame(await store.list({ cacheName, newestFirst: true }), drafts.toReversed())
    },
  },
  {
    title: 'keeps an entry in its place, whatever becomes of it',
    async run({ store }) {
      const drafts = [1, 2, 3].map(number =>
        pending({ refId: refIdOf(cacheName, 9 - number), createdAt: NOW + number }),
      )
      for (const draft of drafts) await put(store, draft)
      const { refId, createdAt } = drafts[1]!
      assert.equal(await store.update(complete({ refId, createdAt, version: 2 }), 1), true)
      const refIds = drafts.map(({ refId }) => refId)
      assert.deepEqual(await refIdsOf(store.list({ cacheName })), refIds)
      const [first, , last] = refIds
      assert.deepEqual(await refIdsOf(store.list({ cacheName, statuses: ['pending'] })), [first, last])
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
      // Three times three of one time each, and one more.
      const drafts = Array.from({ length: 10 }, (_, number) =>
        complete({ refId: refIdOf(cacheName, number), createdAt: NOW + Math.floor(number / 3) }),
      )
      for (const draft of drafts) await put(store, draft)
      const refIds = drafts.map(({ refId }) => refId)
      assert.deepEqual(await allPages(store, { limit: 2 }), refIds)
      assert.deepEqual(await allPages(store, { limit: 2, newestFirst: true }), refIds.toReversed())
      await store.delete(refIds[4]!)
      const beyond = (number: number, newestFirst: boolean) =>
        refIdsOf(store.list({ cacheName, after: drafts[number]!, newestFirst }))
      assert.deepEqual(await beyond(4, false), refIds.slice(5))
      assert.deepEqual(await beyond(4, true), refIds.slice(0, 4).reverse())
      assert.deepEqual([await beyond(9, false), await beyond(0, true)], [[], []])
    },
  },
  {
    title: 'goes on after a place of another cache, or of none',
    async run({ store }) {
      const [one, two] = ['b', 'd'].map(name => complete({ refId: refIdOf(name, 1) })) as [Entry, Entry]
      for (const draft of [one, two]) await put(store, draft)
      const beyond = (cacheName: string, after: Place, newestFirst = false) =>
        refIdsOf(store.list({ cacheName, after, newestFirst }))
      for (const [name, before] of [
        ['a', false],
        ['c', true],
        ['e', true],
      ] as const) {
        const place = { createdAt: NOW, refId: refIdOf(name, 1) }
        assert.deepEqual(await beyond('b', place), before ? [] : [one.refId])
        assert.deepEqual(await beyond('b', place, true), before ? [one.refId] : [])
      }
      assert.deepEqual(await beyond('d', { createdAt: NOW - 1, refId: 'z' }), [two.refId])
    },
  },
  {
    title: 'gives each entry once that stays, while others come and go',
    async run({ store }) {
      const draft = (number: number) =>
        complete({ refId: refIdOf(cacheName, number), createdAt: NOW + number })
      for (let number = 0; number < 20; number++) await put(store, draft(number))
      const found: RefId[] = []
      for (let after: Entry | undefined, page = 0; ; page++) {
        const entries = await store.list({
          cacheName,
          limit: 4,
          newestFirst: true,
          ...(after ? { after } : {}),
        })
        found.push(...entries.map(({ refId }) => refId))
        after = entries.at(-1)
        if (!after) break
        await put(store, draft(100 + page))
        await store.delete(after.refId)
      }
      assert.deepEqual(
        found,
        Array.from({ length: 20 }, (_, number) => refIdOf(cacheName, 19 - number)),
      )
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
        pending({ refId: refIdOf(cacheName, number), namespace, createdAt: NOW + number })
      for (let number = 0; number < 6; number++) await put(store, draft(number, 'user:a'))
      await put(store, draft(6, 'user:b'))
      await put(store, pending({ refId: refIdOf('other', 3), namespace: 'user:a' }))
      await put(store, complete({ refId: refIdOf(cacheName, 7), namespace: 'user:a', createdAt: NOW + 7 }))
      const found = store.list({
        cacheName,
        namespace: 'user:a',
        statuses: ['pending'],
        after: draft(1, 'user:a'),
        limit: 3,
      })
      assert.deepEqual(
        await refIdsOf(found),
        [2, 3, 4].map(number => refIdOf(cacheName, number)),
      )
      const all = store.list({ cacheName, namespace: 'user:a', newestFirst: true, limit: 4 })
      assert.deepEqual(
        await refIdsOf(all),
        [7, 5, 4, 3].map(number => refIdOf(cacheName, number)),
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

async function allPages(store: Store, filter: Omit<ListFilter, 'cacheName'>): Promise<RefId[]> {
  const found: RefId[] = []
  for (let after: Entry | undefined; ; ) {
    const page = await store.list({ cacheName, ...filter, ...(after === undefined ? {} : { after }) })
    if (page.length === 0) return found
    found.push(...page.map(({ refId }) => refId))
    after = page.at(-1)
  }
}
