import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../stores/store.ts'
import { bytesOf, complete, NOW, next, pending, put, refIdOf, until } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

export const watchCases: readonly StoreCase[] = [
  changeCase('an update', async (store, draft) => void (await store.update(next(draft), 1))),
  changeCase('an update of a part', async (store, draft) => {
    await store.update(next(draft), 1, { value: bytesOf('x') })
  }),
  changeCase('a delete', async (store, draft) => void (await store.delete(draft.refId))),
  changeCase('a clear', async store => void (await store.clear('files'))),
  changeCase('a prune', async store => void (await store.prune(NOW, 10))),
  {
    title: 'hears of an entry that is not there yet',
    async run({ store }) {
      const draft = pending()
      let calls = 0
      store.watch(draft.refId, () => calls++)
      await put(store, draft)
      await until(() => calls > 0, 'a call')
    },
  },
  {
    title: 'tells everybody who listens, and reads anew what changed last',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      const seen = [0, 0, 0]
      const listen = (i: number) =>
        store.watch(draft.refId, async () => {
          seen[i] = (await store.get(draft.refId))?.version ?? 0
        })
      const ends = [listen(0), listen(1), listen(2)]
      for (let version = 1; version < 20; version++) {
        assert.equal(await store.update(next(draft, { version: version + 1 }), version), true)
      }
      await until(() => seen.every(version => version === 20), 'all hear of the last change')
      for (const end of ends) end()
    },
  },
  {
    title: 'tells a listener nothing after its end, and goes on with the others',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      let ended = 0
      let going = 0
      const listener = () => ended++
      const end = store.watch(draft.refId, listener)
      const endTwice = store.watch(draft.refId, listener)
      store.watch(draft.refId, () => going++)
      endTwice()
      endTwice()
      await store.update(next(draft), 1)
      await until(() => ended > 0 && going > 0, 'both calls')
      end()
      await sleep(100)
      const before = ended
      going = 0
      await store.update(next(draft, { version: 3 }), 2)
      await until(() => going > 0, 'a call')
      await sleep(100)
      assert.equal(ended, before)
    },
  },
  {
    title: 'tells a listener nothing after its end, not even of a change from before',
    async run({ store }) {
      const draft = pending()
      await put(store, draft)
      let calls = 0
      const end = store.watch(draft.refId, () => calls++)
      const updating = store.update(next(draft), 1)
      end()
      await updating
      await sleep(100)
      assert.equal(calls, 0)
    },
  },
  {
    title: 'does not run the listener inside of the call to watch',
    async run({ store }) {
      let calls = 0
      const end = store.watch(refIdOf('files', 0), () => calls++)
      assert.equal(calls, 0)
      end()
    },
  },
]

function changeCase(
  what: string,
  change: (store: Store, draft: ReturnType<typeof complete>) => Promise<void>,
): StoreCase {
  return {
    title: `hears of ${what}`,
    async run({ store }) {
      const draft = complete({ expiresAt: NOW })
      await put(store, draft)
      let calls = 0
      store.watch(draft.refId, () => calls++)
      await change(store, draft)
      await until(() => calls > 0, 'a call')
    },
  }
}
