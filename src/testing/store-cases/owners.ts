import assert from 'node:assert/strict'
import type { InFlightEntry, Lease, PendingEntry } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import type { Store } from '../../stores/store.ts'
import { complete, NOW, next, pending, put, refIdOf } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

const cacheName = 'files'

/** Names as processes have them, and some that an index could take for one another. */
const PROCESSES = ['host/12/ab', 'host/12/a', 'host/1', 'HOST/1', 'höst/1/%', 'host/1/_']

export const ownerCases: readonly StoreCase[] = [
  {
    title: 'tells which processes have tasks in flight, and which tasks',
    async run({ store }) {
      const tasks = new Map<string, RefId>()
      for (const process of PROCESSES) tasks.set(process, (await put(store, taskOf(process))).refId)
      await put(store, complete())
      await put(store, taskOf('elsewhere', { refId: refIdOf('other', 1) }))
      assert.deepEqual(await processesIn(store), [...PROCESSES].sort())
      for (const process of PROCESSES) assert.deepEqual(await tasksOf(store, process), [tasks.get(process)])
      assert.deepEqual(await tasksOf(store, 'elsewhere'), [])
      assert.deepEqual(await tasksOf(store, 'nobody'), [])
    },
  },
  {
    title: 'counts the tasks of a process that have begun',
    async run({ store }) {
      const first = await put(store, taskOf('a'))
      await put(store, taskOf('a'))
      await put(store, begun(taskOf('a')))
      assert.deepEqual(await store.owners(cacheName), [{ process: 'a', running: 1 }])
      assert.equal(await store.update(begun(next(first as PendingEntry)), 1), true)
      assert.deepEqual(await store.owners(cacheName), [{ process: 'a', running: 2 }])
    },
  },
  {
    title: 'follows a task to its next process, and forgets one that has ended or went',
    async run({ store }) {
      const [moved, ended, deleted, cleared] = (await Promise.all(
        ['public', 'public', 'public', 'user:a'].map(namespace => put(store, taskOf('a', { namespace }))),
      )) as PendingEntry[]
      await store.update(next(moved!, { lease: leaseOf('b') }), 1)
      await store.update(next(complete({ refId: ended!.refId })), 1)
      await store.delete(deleted!.refId)
      await store.clear(cacheName, cleared!.namespace)
      assert.deepEqual(await store.owners(cacheName), [{ process: 'b', running: 0 }])
      assert.deepEqual(await tasksOf(store, 'b'), [moved!.refId])
      assert.deepEqual(await tasksOf(store, 'a'), [])
    },
  },
  {
    title: 'gives what was let go under no name',
    async run({ store }) {
      const { refId } = await put(store, pending({ lease: { owner: 'a/1', duration: 0 } }))
      assert.deepEqual(await store.owners(cacheName), [{ process: '', running: 0 }])
      assert.deepEqual(await tasksOf(store, ''), [refId])
    },
  },
  {
    title: 'shows each sign of life of a process, and none of another one',
    async run({ store }) {
      for (const process of ['a', 'b']) await put(store, taskOf(process))
      const seen = new Set<number | undefined>([await beatOf(store, 'a')])
      for (let beats = 1; beats <= 3; beats++) {
        await store.beat(cacheName, 'a')
        const beat = await beatOf(store, 'a')
        assert.ok(beat !== undefined && !seen.has(beat), 'each beat should be another one')
        assert.equal(await beatOf(store, 'a'), beat)
        seen.add(beat)
      }
      assert.equal(await beatOf(store, 'b'), undefined)
    },
  },
  {
    title: 'gives any number of tasks, each once, also while they go',
    async run({ store }) {
      const refIds = Array.from({ length: 600 }, (_, number) => refIdOf(cacheName, number))
      for (const refId of refIds) await put(store, taskOf('a', { refId }))
      assert.deepEqual((await tasksOf(store, 'a')).sort(), refIds)
      const seen: RefId[] = []
      for await (const batch of store.tasksOf(cacheName, 'a')) {
        for (const refId of batch) {
          seen.push(refId)
          await store.delete(refId)
        }
      }
      assert.deepEqual(seen.sort(), refIds)
      assert.deepEqual(await store.owners(cacheName), [])
    },
  },
  {
    title: 'shows one handle the signs of life of the other one',
    needs: 'shared',
    async run({ store, secondHandle }) {
      assert.ok(secondHandle, 'a shared store needs `secondHandle` in its setup')
      const second = await secondHandle()
      const { refId } = await put(store, taskOf('a'))
      await store.beat(cacheName, 'a')
      const beat = await beatOf(store, 'a')
      assert.deepEqual(await second.owners(cacheName), [{ process: 'a', running: 0, beat }])
      assert.deepEqual(await tasksOf(second, 'a'), [refId])
    },
  },
]

function leaseOf(process: string): Lease {
  return { owner: `${process}/1`, duration: 30_000 }
}

function taskOf(process: string, fields: Parameters<typeof pending>[0] = {}) {
  return pending({ lease: leaseOf(process), ...fields })
}

function begun(task: ReturnType<typeof pending>): InFlightEntry {
  return { ...task, status: 'processing', startedAt: NOW }
}

async function tasksOf(store: Store, process: string): Promise<RefId[]> {
  const found: RefId[] = []
  for await (const batch of store.tasksOf(cacheName, process)) found.push(...batch)
  return found
}

async function processesIn(store: Store): Promise<string[]> {
  return (await store.owners(cacheName)).map(({ process }) => process).sort()
}

async function beatOf(store: Store, wanted: string): Promise<number | undefined> {
  return (await store.owners(cacheName)).find(({ process }) => process === wanted)?.beat
}
