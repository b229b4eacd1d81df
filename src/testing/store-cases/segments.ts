import assert from 'node:assert/strict'
import type { AppendedValue, CompleteEntry, Entry } from '../../core/entry.ts'
import { StoreUnavailable } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { Store } from '../../stores/store.ts'
import { assertBytes, assertSame, bytesOf, complete, NOW, next, pending, put } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

const DAY_MS = 86_400_000
const INDEX = { index: bytesOf('index') }

export const segmentCases: readonly StoreCase[] = [
  {
    title: 'keeps what is staged for an entry that comes later, and its index beside it',
    async run({ store }) {
      const entry = withSegments(complete(), 'a', 3)
      await stage(store, entry.refId, 'a', 3)
      assert.equal(await store.get(entry.refId), undefined)
      await put(store, entry, INDEX)
      assertSame(await store.get(entry.refId), entry)
      assertBytes(await store.read(entry.refId, 'index'), bytesOf('index'))
      assert.equal(await store.read(entry.refId, 'value'), undefined)
      assert.deepEqual(await segmentsOf(store, entry.refId, 'a', 4), ['a 0', 'a 1', 'a 2', undefined])
    },
  },
  {
    title: 'keeps what is staged while its entry changes, for the update that names it',
    async run({ store }) {
      const task = pending()
      await put(store, task, { input: bytesOf('in') })
      await stage(store, task.refId, 'a', 2)
      assert.equal(await store.update(next(task), 1), true)
      const done = next(withSegments(complete({ refId: task.refId }), 'a', 2), { version: 3 })
      assert.equal(await store.update(done, 2, { ...INDEX, input: undefined }), true)
      assert.deepEqual(await segmentsOf(store, task.refId, 'a', 2), ['a 0', 'a 1'])
      assert.equal(await store.read(task.refId, 'input'), undefined)
    },
  },
  {
    title: 'drops the segments of other values with the index that replaces theirs',
    async run({ store }) {
      const entry = withSegments(complete(), 'a', 2)
      await stage(store, entry.refId, 'a', 2)
      await put(store, entry, INDEX)
      await stage(store, entry.refId, 'b', 3)
      assert.equal(await store.update(next(withSegments(entry, 'b', 3)), 1, INDEX), true)
      assert.deepEqual(await segmentsOf(store, entry.refId, 'a', 2), [undefined, undefined])
      assert.deepEqual(await segmentsOf(store, entry.refId, 'b', 3), ['b 0', 'b 1', 'b 2'])
      const { segments: _, ...withoutSegments } = entry
      const shrunk = { ...withoutSegments, version: 3 }
      assert.equal(await store.update(shrunk, 2, { index: undefined, value: bytesOf('small') }), true)
      assert.deepEqual(await segmentsOf(store, entry.refId, 'b', 3), [undefined, undefined, undefined])
      assertBytes(await store.read(entry.refId, 'value'), bytesOf('small'))
    },
  },
  {
    title: 'refuses an entry of which a segment is missing, and changes nothing',
    async run({ store }) {
      const entry = withSegments(complete({ key: 'k' }), 'a', 3)
      await stage(store, entry.refId, 'a', 2)
      await assert.rejects(store.claim(entry, NOW, INDEX), StoreUnavailable)
      assert.equal(await store.get(entry.refId), undefined)
      const task = pending()
      await put(store, task)
      const done = next(withSegments(complete({ refId: task.refId }), 'b', 1))
      await assert.rejects(store.update(done, 1, INDEX), StoreUnavailable)
      assertSame(await store.get(task.refId), task)
    },
  },
  {
    title: 'leaves segments alone when a claim or an update is refused',
    async run({ store }) {
      const holder = withSegments(complete({ key: 'k' }), 'a', 1)
      await stage(store, holder.refId, 'a', 1)
      await put(store, holder, INDEX)
      assert.equal((await store.claim(withSegments(complete({ key: 'k' }), 'x', 0), NOW, INDEX)).won, false)
      assert.equal(await store.update(next(withSegments(holder, 'x', 0)), 7, INDEX), false)
      assert.deepEqual(await segmentsOf(store, holder.refId, 'a', 1), ['a 0'])
    },
  },
  {
    title: 'replaces a segment that is staged again, and keeps each byte',
    async run({ store }) {
      const entry = withSegments(complete(), 'a', 1)
      const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)
      const name = { refId: entry.refId, valueId: 'a', position: 0 }
      await store.stage(name, bytesOf('first'), NOW)
      await store.stage(name, everyByte.slice(), NOW)
      await put(store, entry, INDEX)
      assertBytes(await store.readSegment(name), everyByte)
      const handedOut = await store.readSegment(name)
      handedOut?.fill(0)
      assertBytes(await store.readSegment(name), everyByte)
    },
  },
  {
    title: 'keeps what a task has appended so far while it grows, and when the task ends without a value',
    async run({ store }) {
      let task: Entry = processing()
      await put(store, task, { input: bytesOf('in') })
      for (let count = 1; count <= 3; count++) {
        await store.stage(
          { refId: task.refId, valueId: 'a', position: count - 1 },
          bytesOf(`a ${count - 1}`),
          NOW,
        )
        task = next(task, { appended: appended('a', count) })
        assert.equal(await store.update(task, count, { index: bytesOf(`index ${count}`) }), true)
        assertSame(await store.get(task.refId), task)
        assertBytes(await store.read(task.refId, 'index'), bytesOf(`index ${count}`))
      }
      task = next(task)
      assert.equal(await store.update(task, 4), true)
      const failed = { ...complete({ refId: task.refId }), ...FAILED, version: 6, appended: appended('a', 3) }
      assert.equal(await store.update(failed, 5, { input: undefined }), true)
      assert.deepEqual(await segmentsOf(store, task.refId, 'a', 4), ['a 0', 'a 1', 'a 2', undefined])
      assertBytes(await store.read(task.refId, 'index'), bytesOf('index 3'))
      assert.equal(await store.delete(task.refId), true)
      assert.deepEqual(await segmentsOf(store, task.refId, 'a', 1), [undefined])
    },
  },
  {
    title:
      'drops what one attempt has appended when another one appends, or the task ends with a small value',
    async run({ store }) {
      const task = processing()
      await put(store, task)
      await stage(store, task.refId, 'a', 2)
      await store.update(next(task, { appended: appended('a', 2) }), 1, INDEX)
      await stage(store, task.refId, 'b', 1)
      assert.deepEqual(await segmentsOf(store, task.refId, 'a', 2), ['a 0', 'a 1'])
      await store.update({ ...task, version: 3, appended: appended('b', 1) }, 2, INDEX)
      assert.deepEqual(await segmentsOf(store, task.refId, 'a', 2), [undefined, undefined])
      assert.deepEqual(await segmentsOf(store, task.refId, 'b', 1), ['b 0'])
      const done = complete({ refId: task.refId, version: 4 })
      assert.equal(await store.update(done, 3, { index: undefined, value: bytesOf('small') }), true)
      assert.deepEqual(await segmentsOf(store, task.refId, 'b', 1), [undefined])
      assert.equal(await store.read(task.refId, 'index'), undefined)
      assertBytes(await store.read(task.refId, 'value'), bytesOf('small'))
    },
  },
  {
    title: 'removes segments with their entry',
    async run({ store }) {
      const removals: Array<(refId: RefId) => Promise<unknown>> = [
        refId => store.delete(refId),
        () => store.clear('files'),
        () => store.prune(NOW + 60_000, 100),
      ]
      for (const remove of removals) {
        const entry = withSegments(complete(), 'a', 2)
        await stage(store, entry.refId, 'a', 2)
        await put(store, entry, INDEX)
        await remove(entry.refId)
        assert.equal(await store.get(entry.refId), undefined)
        assert.deepEqual(await segmentsOf(store, entry.refId, 'a', 2), [undefined, undefined])
        assert.equal(await store.read(entry.refId, 'index'), undefined)
      }
    },
  },
  {
    title: 'keeps the segments of entries, and of tasks in flight, however long ago they were staged',
    async run({ store }) {
      const kept = withSegments(complete({ expiresAt: undefined }), 'a', 1)
      const task = pending()
      await put(store, task)
      for (const refId of [kept.refId, task.refId]) await stage(store, refId, 'a', 1)
      await put(store, kept, INDEX)
      await store.prune(NOW + DAY_MS, 100)
      for (const refId of [kept.refId, task.refId]) {
        assert.deepEqual(await segmentsOf(store, refId, 'a', 1), ['a 0'])
      }
    },
  },
]

const FAILED = { status: 'failed', error: { code: 'task_failed', message: 'no' } } as const

function processing(): Entry {
  return { ...pending(), status: 'processing', startedAt: NOW }
}

function appended(id: string, count: number): AppendedValue {
  return { id, count, kind: 'items', available: count, valueBytes: 10 }
}

function withSegments(entry: CompleteEntry, id: string, count: number): CompleteEntry {
  return { ...entry, segments: { id, count } }
}

async function stage(store: Store, refId: RefId, valueId: string, count: number): Promise<void> {
  for (let position = 0; position < count; position++) {
    await store.stage({ refId, valueId, position }, bytesOf(`${valueId} ${position}`), NOW)
  }
}

async function segmentsOf(store: Store, refId: RefId, valueId: string, count: number) {
  const texts: Array<string | undefined> = []
  for (let position = 0; position < count; position++) {
    const bytes = await store.readSegment({ refId, valueId, position })
    texts.push(bytes && Buffer.from(bytes).toString())
  }
  return texts
}
