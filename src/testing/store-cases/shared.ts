import assert from 'node:assert/strict'
import type { Store } from '../../stores/store.ts'
import { assertBytes, assertSame, bytesOf, NOW, next, pending, put, until } from '../store-drafts.ts'
import type { OpenedStore, StoreCase } from '../store-setup.ts'

export const sharedCases: readonly StoreCase[] = [
  {
    title: 'shows each handle at once what the other one did',
    needs: 'shared',
    async run(opened) {
      const [first, second] = await twoHandles(opened)
      const draft = pending({ key: 'k' })
      await put(first, draft, { input: bytesOf('in') })
      assertSame(await second.get(draft.refId), draft)
      assertBytes(await second.read(draft.refId, 'input'), bytesOf('in'))
      assertSame(await second.claim(pending({ key: 'k' }), NOW), { won: false, entry: draft })
      assert.equal(await second.update(next(draft), 1, { value: bytesOf('out') }), true)
      assert.equal(await first.update(next(draft), 1), false)
      assertBytes(await first.read(draft.refId, 'value'), bytesOf('out'))
      assert.equal(await first.delete(draft.refId), true)
      assert.equal(await second.get(draft.refId), undefined)
    },
  },
  {
    title: 'lets exactly one handle win each of many keys',
    needs: 'shared',
    async run(opened) {
      const handles = await twoHandles(opened)
      const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`)
      const claims = await Promise.all(
        keys.flatMap(key => handles.map(handle => handle.claim(pending({ key }), NOW))),
      )
      for (const key of keys) {
        const ofKey = claims.filter(claim => claim.entry.key === key)
        assert.equal(ofKey.length, 2)
        assert.equal(ofKey.filter(claim => claim.won).length, 1)
        assertSame(ofKey[0]?.entry, ofKey[1]?.entry)
      }
    },
  },
  {
    title: 'loses no update when both handles count up',
    needs: 'shared',
    async run(opened) {
      const handles = await twoHandles(opened)
      const draft = pending()
      await put(handles[0], draft)
      const counts = await Promise.all(handles.map(handle => countUp(handle, draft.refId, 30)))
      assert.deepEqual(counts, [30, 30])
      assert.equal((await handles[0].get(draft.refId))?.version, 61)
    },
  },
  {
    title: 'hears of what the other handle changes, adds and removes',
    needs: 'sharedWatch',
    async run(opened) {
      const [first, second] = await twoHandles(opened)
      const draft = pending()
      let calls = 0
      const end = first.watch(draft.refId, () => calls++)
      const changes = [
        () => put(second, draft),
        () => second.update(next(draft), 1),
        () => second.delete(draft.refId),
      ]
      for (const change of changes) {
        calls = 0
        await change()
        await until(() => calls > 0, 'a call')
      }
      end()
    },
  },
  {
    title: 'says one time to all handles, whose clocks differ',
    needs: 'shared',
    async run(opened) {
      const handles = await twoHandles(opened)
      const [first, second] = handles
      if (!first.time) return
      const ahead = NOW + 7_200_000
      for (const own of [ahead, NOW]) await first.time('files', { now: own, earliest: own })
      const own = { now: NOW, earliest: NOW }
      const told = [
        await first.time('files', own),
        await second.time?.('files', { now: ahead, earliest: ahead }),
      ]
      const [one = Number.NaN, other = Number.NaN] = told.map(time => time?.now)
      assert.ok(Math.abs(one - other) < 60_000)
      assert.ok(told.every(time => time?.takesWrites))
    },
  },
  {
    title: 'leaves the other handle at work when one closes',
    needs: 'shared',
    async run(opened) {
      const [first, second] = await twoHandles(opened)
      const draft = pending()
      await put(first, draft)
      assertSame(await second.get(draft.refId), draft)
      await first.close()
      assert.equal(await second.update(next(draft), 1), true)
      assert.equal((await second.get(draft.refId))?.version, 2)
    },
  },
]

async function twoHandles({ store, secondHandle }: OpenedStore): Promise<[Store, Store]> {
  assert.ok(secondHandle, 'a shared store needs `secondHandle` in its setup')
  return [store, await secondHandle()]
}

async function countUp(store: Store, refId: string, times: number): Promise<number> {
  let counted = 0
  while (counted < times) {
    const entry = await store.get(refId)
    assert.ok(entry)
    if (await store.update(next(entry), entry.version)) counted++
  }
  return counted
}
