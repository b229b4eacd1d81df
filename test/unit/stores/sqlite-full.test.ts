import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import { type SqliteStatement, sqliteStore } from '../../../src/stores/sqlite.ts'
import { loadDriver } from '../../../src/stores/sqlite-driver.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { complete, NOW } from '../../../src/testing/store-drafts.ts'
import { deferred } from '../flow/scene.ts'

const { DatabaseSync } = await loadDriver()

let folder: string
let full = false
let rollbackFails = false
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

/** A disk without room for anything new, for all processes alike. */
class FullDisk extends DatabaseSync {
  override prepare(sql: string): SqliteStatement {
    const statement = super.prepare(sql)
    if (!/INSERT|UPDATE/.test(sql)) return statement
    return {
      get: (...parameters) => statement.get(...parameters),
      all: (...parameters) => statement.all(...parameters),
      run(...parameters) {
        if (full) throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
        return statement.run(...parameters)
      },
    }
  }

  override exec(sql: string): void {
    if (sql === 'ROLLBACK' && rollbackFails) throw new Error('disk I/O error')
    super.exec(sql)
  }
}

const open = () => sqliteStore(join(folder, 'cache.db'), { driver: { DatabaseSync: FullDisk } })

it('a result that was finished while the disk was full is stored when there is room, whoever sweeps', async () => {
  const clock = new FakeClock()
  const [here, there] = [open(), open()].map(store => new RefCache({ name: 'files', store, clock })) as [
    RefCache,
    RefCache,
  ]
  const work = deferred<string>()
  const handler = vi.fn(() => work.promise)
  const slow = here.cached({ name: 'slow', asyncTimeout: 0 }, handler)
  there.cached({ name: 'slow' }, handler)
  const { refId } = await slow({})
  await clock.advance('1s')
  full = true
  work.resolve('done')
  await clock.advance('2m')
  expect(await there.get(refId)).toMatchObject({ status: 'processing' })
  full = false
  await clock.advance('6s')
  expect(await there.get(refId)).toMatchObject({ status: 'complete', value: 'done' })
  expect(handler).toHaveBeenCalledTimes(1)
  await Promise.all([here.close(), there.close()])
})

it('a transaction that could not be rolled back does not stand in the way of the next one', async () => {
  const store = open()
  await store.claim(complete(), NOW)
  full = true
  rollbackFails = true
  await expect(store.claim(complete(), NOW)).rejects.toThrow(/disk is full/)
  full = false
  rollbackFails = false
  expect((await store.claim(complete(), NOW)).won).toBe(true)
  await store.close()
})
