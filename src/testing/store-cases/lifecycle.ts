import assert from 'node:assert/strict'
import { StoreUnavailable } from '../../core/errors.ts'
import { assertBytes, assertSame, bytesOf, complete, NOW, next, pending, put } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

export const lifecycleCases: readonly StoreCase[] = [
  {
    title: 'says what it can do',
    async run({ store }, { capabilities }) {
      assert.deepEqual({ ...store.capabilities }, { ...capabilities })
    },
  },
  {
    title: 'closes, even twice or unused, and fails afterwards',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      await Promise.all([store.close(), store.close()])
      await store.close()
      const calls = [
        () => store.claim(pending(), NOW),
        () => store.get(draft.refId),
        () => store.read(draft.refId, 'value'),
        () => store.update(next(draft), 1),
        () => store.delete(draft.refId),
        () => store.list({ cacheName: 'files' }),
        () => store.peek([draft.refId]),
        () => store.match('files', 1),
        () => store.count('files', NOW),
        () => store.caches(),
        () => store.changes('files', undefined, 1),
        () => store.beat('files', 'a'),
        () => store.owners('files'),
        () => store.clear('files'),
        () => store.prune(NOW, 1),
      ]
      for (const call of calls) await assert.rejects(call(), StoreUnavailable)
    },
  },
  {
    title: 'closes when it was never used',
    async run({ store }) {
      await store.close()
      await assert.rejects(store.list({ cacheName: 'files' }), StoreUnavailable)
    },
  },
  {
    title: 'watch does not throw after the close',
    async run({ store }) {
      await store.close()
      store.watch(pending().refId, () => {})()
    },
  },
  {
    title: 'finds all of it again when it is opened anew',
    needs: 'durable',
    async run({ store, reopen }) {
      assert.ok(reopen, 'a durable store needs `reopen` in its setup')
      const task = pending({ key: 'k' })
      const value = complete({ namespace: 'user:雪' })
      await put(store, task, { input: bytesOf('in') })
      await put(store, value, { value: bytesOf('out') })
      const reopened = await reopen()
      assertSame(await reopened.get(task.refId), task)
      assertBytes(await reopened.read(task.refId, 'input'), bytesOf('in'))
      assertBytes(await reopened.read(value.refId, 'value'), bytesOf('out'))
      assertSame(await reopened.list({ cacheName: 'files', namespace: 'user:雪' }), [value])
      assertSame(await reopened.claim(pending({ key: 'k' }), NOW), { won: false, entry: task })
      assert.equal(await reopened.update(next(task), 1), true)
    },
  },
]
