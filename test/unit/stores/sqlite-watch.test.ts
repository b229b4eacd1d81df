import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import type { PendingEntry } from '../../../src/core/entry.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { type SqliteStoreOptions, sqliteStore } from '../../../src/stores/sqlite.ts'
import { loadDriver, type SqliteDriver } from '../../../src/stores/sqlite-driver.ts'
import { KEPT_CHANGES } from '../../../src/stores/store.ts'
import {
  bytesOf,
  complete,
  NOW,
  next,
  pending,
  put,
  refIdOf,
  until,
} from '../../../src/testing/store-drafts.ts'

const POLL_MS = 10

/** Two processes on one file: the one that is watched from, and another one. */
async function twoProcesses(options: SqliteStoreOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-watch-'))
  const path = join(folder, 'cache.db')
  const open = (own?: SqliteStoreOptions) => sqliteStore(path, own)
  const own = open({ pollInterval: POLL_MS, ...options })
  const other = open()
  onTestFinished(async () => {
    await own.close()
    await other.close()
    rmSync(folder, { recursive: true })
  })
  return { own, other, path }
}

/** A driver that counts how often an entry is read. */
async function countingDriver(): Promise<{ driver: SqliteDriver; reads: () => number }> {
  const { DatabaseSync } = await loadDriver()
  let reads = 0
  class Counting extends DatabaseSync {
    override prepare(sql: string) {
      const statement = super.prepare(sql)
      if (!/^SELECT record FROM entries WHERE ref_id/.test(sql)) return statement
      return new Proxy(statement, {
        get(target, name) {
          const member = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          return (...args: unknown[]) => {
            reads++
            return member.apply(target, args)
          }
        },
      })
    }
  }
  return { driver: { DatabaseSync: Counting }, reads: () => reads }
}

it('of a thousand watched tasks, only the one that another process changed is read again', async () => {
  const { driver, reads } = await countingDriver()
  const { own, other } = await twoProcesses({ driver })
  const tasks: PendingEntry[] = []
  for (let n = 0; n < 1_000; n++) {
    const task = pending({ refId: refIdOf('files', n), lease: { owner: 'other/1', duration: 600_000 } })
    tasks.push((await put(other, task)) as PendingEntry)
  }
  const cache = new RefCache({ name: 'files', store: own, sweepInterval: '10m' })
  onTestFinished(() => cache.close())
  let looked = false
  own.watch(refIdOf('files', 2_000), () => {
    looked = true
  })
  // The first look of a process tells all who watch.
  await until(() => looked, 'the first look')
  const waiting = tasks.map(({ refId }) => cache.get(refId, { wait: '50s' }))
  let answered = 0
  for (const each of waiting)
    each.then(
      () => answered++,
      () => {},
    )
  for (let seen = -1; seen !== reads(); await sleep(30 * POLL_MS)) seen = reads()
  const before = reads()
  const [changed] = tasks as [PendingEntry]
  const done = complete({ refId: changed.refId, expiresAt: undefined, valueBytes: 3 })
  await other.update(next(done), 1, { value: bytesOf('\u0000[1]') })
  await until(() => answered === 1, 'the answer')
  await sleep(10 * POLL_MS)
  // Once because of the change, and what the answer itself reads.
  expect(reads() - before).toBeLessThanOrEqual(3)
  expect(answered).toBe(1)
})

it('an entry that another process made, changed or removed is told, with its version where it is there', async () => {
  const { own, other } = await twoProcesses()
  const told: Array<number | undefined> = []
  const draft = pending()
  let others = 0
  await put(own, complete())
  own.watch(draft.refId, version => told.push(version))
  own.watch(refIdOf('files', 10 ** 9), () => others++)
  await until(() => told.length === 1 && others === 1, 'the first look')
  await put(other, draft)
  await until(() => told.length === 2, 'a call')
  await other.update(next(draft), 1)
  await until(() => told.length === 3, 'a call')
  await other.delete(draft.refId)
  await until(() => told.length === 4, 'a call')
  expect(told).toEqual([undefined, 1, 2, undefined])
  expect(others).toBe(1)
})

it('all are told where the file does not know any more what changed', async () => {
  const { own, other, path } = await twoProcesses()
  let calls = 0
  await put(own, complete())
  const quiet = complete()
  await put(other, quiet)
  own.watch(quiet.refId, () => calls++)
  await until(() => calls === 1, 'the first look')
  const database = new (await loadDriver()).DatabaseSync(path)
  database.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n <= ${KEPT_CHANGES})
    INSERT INTO changes (ref_id, what) SELECT 'files:' || n, 'created' FROM numbers`)
  database.close()
  await until(() => calls >= 2, 'a call')
})

it('what a process prunes is told to who watches it, and to nobody else', async () => {
  const { own, other } = await twoProcesses()
  const [gone, stays] = [complete({ expiresAt: NOW }), complete({ expiresAt: NOW + 60_000 })]
  const told: string[] = []
  for (const entry of [gone, stays]) {
    await put(own, entry)
    own.watch(entry.refId, () => told.push(entry.refId))
  }
  await until(() => told.length === 2, 'the first looks')
  told.length = 0
  await own.prune(NOW, 10)
  await until(() => told.length > 0, 'a call')
  // What is told of a later change would come after anything that is still to be told of the first.
  const later = complete()
  own.watch(later.refId, version => version && told.push(later.refId))
  await put(other, later)
  await until(() => told.includes(later.refId), 'a later call')
  expect(new Set(told)).toEqual(new Set([gone.refId, later.refId]))
})
