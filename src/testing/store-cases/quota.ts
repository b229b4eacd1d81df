import assert from 'node:assert/strict'
import type { CompleteEntry } from '../../core/entry.ts'
import { StoreFull, ValueTooLarge } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { Store } from '../../stores/store.ts'
import { complete, NOW, next, pending, put, refIdOf } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'
import { assertUsage, bytes, keptOf, putAt } from './quota-drafts.ts'

/** After so long, what was staged for no entry goes. */
const HOUR_MS = 3_600_000

const INDEX = { index: bytes(10) }

export const quotaCases: readonly StoreCase[] = [
  {
    title: 'makes room for bytes, with as few entries as it takes',
    needs: 'quota',
    bounds: { maxBytes: 100_000 },
    async run({ store }) {
      const [first, second, third] = [complete(), complete(), complete()]
      await putAt(store, first, NOW, { value: bytes(40_000) })
      await putAt(store, second, NOW + 1, { value: bytes(40_000) })
      await putAt(store, third, NOW + 2, { value: bytes(30_000) })
      assert.deepEqual(await keptOf(store, first, second, third), [false, true, true])
      await store.update(next(third), 1, { value: bytes(70_000) })
      assert.deepEqual(await keptOf(store, second, third), [false, true])
    },
  },
  {
    title: 'refuses a value that is larger than the quota, and changes nothing',
    needs: 'quota',
    bounds: { maxBytes: 100_000 },
    async run({ store }) {
      const kept = complete()
      await put(store, kept, { value: bytes(50_000) })
      await assert.rejects(store.claim(complete(), NOW, { value: bytes(100_001) }), ValueTooLarge)
      await assert.rejects(store.update(next(kept), 1, { value: bytes(100_001) }), ValueTooLarge)
      assert.equal((await store.get(kept.refId))?.version, 1)
      assert.equal((await store.usage?.())?.entries, 1)
      await assertUsage(store, 50_000)
    },
  },
  {
    title: 'counts the segments of a value that is being written',
    needs: 'quota',
    bounds: { maxBytes: 100_000 },
    async run({ store }) {
      const [first, second] = [complete(), complete()]
      await putAt(store, first, NOW, { value: bytes(40_000) })
      await putAt(store, second, NOW + 1, { value: bytes(40_000) })
      const entry = withSegments(complete(), 3)
      for (let position = 0; position < 3; position++) await stage(store, entry.refId, position, 10_000)
      assert.deepEqual(await keptOf(store, first, second), [false, true])
      await putAt(store, entry, NOW + 2, INDEX)
      for (let position = 0; position < 3; position++) {
        const segment = await store.readSegment(segmentOf(entry.refId, position))
        assert.equal(segment?.length, 10_000)
      }
      await assertUsage(store, 70_010)
    },
  },
  {
    title: 'refuses segments beyond the quota; deleting the reference gives their room back',
    needs: 'quota',
    bounds: { maxBytes: 100_000 },
    async run({ store }) {
      const refId = refIdOf('files', 999_999)
      await assert.rejects(async () => {
        for (let position = 0; position < 11; position++) await stage(store, refId, position, 10_000)
      }, ValueTooLarge)
      assert.equal((await store.readSegment(segmentOf(refId, 0)))?.length, 10_000)
      assert.equal(await store.delete(refId), false)
      assert.equal(await store.readSegment(segmentOf(refId, 0)), undefined)
      await assertUsage(store, 0)
    },
  },
  {
    title: 'refuses a segment where only tasks in flight and values being written take the room',
    needs: 'quota',
    bounds: { maxBytes: 100_000 },
    async run({ store }) {
      const task = pending()
      const settled = complete()
      await put(store, task, { input: bytes(50_000) })
      await put(store, settled, { value: bytes(20_000) })
      const refId = refIdOf('files', 999_999)
      for (let position = 0; position < 4; position++) await stage(store, refId, position, 10_000)
      assert.deepEqual(await keptOf(store, task, settled), [true, false])
      await assert.rejects(stage(store, refId, 4, 20_000), StoreFull)
      assert.equal((await store.readSegment(segmentOf(refId, 3)))?.length, 10_000)
      assert.equal(await store.readSegment(segmentOf(refId, 4)), undefined)
      await store.delete(task.refId)
      await stage(store, refId, 4, 20_000)
    },
  },
  {
    title: 'says how full it is after each change',
    needs: 'quota',
    bounds: { maxEntries: 100, maxBytes: 1_000_000 },
    async run({ store }) {
      const usage = await store.usage?.()
      assert.deepEqual(usage, { entries: 0, bytes: 0, maxEntries: 100, maxBytes: 1_000_000 })
      const [task, other] = [pending(), complete()]
      await put(store, task, { input: bytes(1_000) })
      await put(store, other, { value: bytes(2_000) })
      assert.equal((await store.usage?.())?.entries, 2)
      await assertUsage(store, 3_000)
      await store.update(next(task), 1)
      await assertUsage(store, 3_000)
      for (const position of [0, 0, 1]) await stage(store, task.refId, position, 5_000)
      await assertUsage(store, 13_000)
      const done = withSegments(complete({ refId: task.refId, version: 3 }), 1)
      await store.update(done, 2, { ...INDEX, input: undefined })
      await assertUsage(store, 7_010)
      await store.update(complete({ refId: task.refId, version: 4 }), 3, {
        index: undefined,
        value: bytes(500),
      })
      await assertUsage(store, 2_500)
      await store.update(next(done), 3, { value: bytes(9_000) })
      await assertUsage(store, 2_500)
      await store.delete(other.refId)
      await assertUsage(store, 500)
      await store.prune(NOW + 60_000, 100)
      assert.equal((await store.usage?.())?.entries, 0)
      await assertUsage(store, 0)
      await stage(store, refIdOf('files', 999_999), 0, 5_000)
      await assertUsage(store, 5_000)
      await store.prune(NOW + HOUR_MS, 100)
      await assertUsage(store, 0)
      await put(store, complete(), { value: bytes(2_000) })
      await put(store, complete({ refId: refIdOf('other', 1) }), { value: bytes(1_000) })
      await store.clear('files')
      assert.equal((await store.usage?.())?.entries, 1)
      await assertUsage(store, 1_000)
    },
  },
]

function withSegments(entry: CompleteEntry, count: number): CompleteEntry {
  return { ...entry, segments: { id: 'v', count } }
}

function segmentOf(refId: RefId, position: number) {
  return { refId, valueId: 'v', position }
}

async function stage(store: Store, refId: RefId, position: number, count: number): Promise<void> {
  await store.stage(segmentOf(refId, position), bytes(count), NOW)
}
