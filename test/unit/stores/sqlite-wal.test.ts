import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { loadDriver } from '../../../src/stores/sqlite-driver.ts'
import { complete, NOW } from '../../../src/testing/store-drafts.ts'

const MB = 1024 * 1024
const { DatabaseSync } = await loadDriver()

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  path = join(folder, 'cache.db')
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

const walSize = () => (existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0)

it('the -wal file that grew while somebody read is emptied by a later write, and at the close', async () => {
  const store = sqliteStore(path)
  const other = sqliteStore(path)
  await store.claim(complete(), NOW)
  await other.claim(complete(), NOW)
  const reader = new DatabaseSync(path)
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM entries').get()
  for (let i = 0; i < 20; i++) await store.claim(complete(), NOW, { value: new Uint8Array(MB) })
  expect(walSize()).toBeGreaterThan(15 * MB)
  reader.exec('COMMIT')
  // Tries become rare while they are for nothing.
  vi.advanceTimersByTime(850)
  await store.claim(complete(), NOW)
  expect(walSize()).toBeLessThan(MB)
  await store.claim(complete(), NOW, { value: new Uint8Array(MB) })
  reader.close()
  await store.close()
  expect(walSize()).toBe(0)
  await other.close()
  expect(walSize()).toBe(0)
})
