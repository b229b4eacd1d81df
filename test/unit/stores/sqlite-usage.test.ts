import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SqliteStoreOptions, sqliteStore } from '../../../src/stores/sqlite.ts'
import { loadDriver, type SqliteDatabase } from '../../../src/stores/sqlite-driver.ts'
import type { Store } from '../../../src/stores/store.ts'
import { complete, NOW, next, pending } from '../../../src/testing/store-drafts.ts'

const MINUTE = 60_000
const { DatabaseSync } = await loadDriver()

let folder: string
let path: string
const ends: Array<() => unknown> = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-usage-'))
  path = join(folder, 'cache.db')
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  rmSync(folder, { recursive: true })
})

function open(options?: SqliteStoreOptions): Store {
  const store = sqliteStore(path, options)
  ends.push(() => store.close())
  return store
}

function look(): SqliteDatabase {
  const database = new DatabaseSync(path)
  ends.push(() => database.close())
  return database
}

const bytes = (count: number) => new Uint8Array(count)

describe('when an entry was used', () => {
  it('is written with a sweep, not with the read, and again after 10 minutes at the earliest', async () => {
    const store = open()
    const entry = complete({ expiresAt: undefined })
    await store.claim(entry, NOW, { value: bytes(10) })
    const file = look()
    const version = () => file.prepare('PRAGMA data_version').get()
    const isWritten = async (step: () => Promise<unknown>) => {
      const before = version()
      await step()
      return JSON.stringify(version()) !== JSON.stringify(before)
    }
    const read = async () => [await store.get(entry.refId), await store.read(entry.refId, 'value')]
    const sweep = (at: number) => () => store.prune(at, 10)
    expect(await isWritten(async () => store.noteUse?.(entry.refId, NOW + 9 * MINUTE))).toBe(false)
    expect(await isWritten(sweep(NOW + 9 * MINUTE))).toBe(false)
    expect(await isWritten(async () => store.noteUse?.(entry.refId, NOW + 10 * MINUTE))).toBe(false)
    expect(await isWritten(read)).toBe(false)
    expect(await isWritten(sweep(NOW + 10 * MINUTE))).toBe(true)
    await read()
    expect(await isWritten(sweep(NOW + 19 * MINUTE))).toBe(false)
    store.noteUse?.(entry.refId, NOW + 20 * MINUTE)
    expect(await isWritten(sweep(NOW + 20 * MINUTE))).toBe(true)
  })

  it('is known to the next process', async () => {
    const first = open({ maxEntries: 2 })
    const [used, other] = [complete(), complete()]
    await first.claim(used, NOW)
    await first.claim(other, NOW + 1)
    first.noteUse?.(used.refId, NOW + 20 * MINUTE)
    await first.close()
    const second = open({ maxEntries: 2 })
    await second.claim(complete(), NOW + 21 * MINUTE)
    expect(await second.get(used.refId)).toBeDefined()
    expect(await second.get(other.refId)).toBeUndefined()
  })
})

describe('a file', () => {
  it('that was made before its usage was counted is counted when it is opened', async () => {
    const before = open()
    const [task, value, large] = [pending(), complete(), complete()]
    await before.claim(task, NOW, { input: bytes(100) })
    await before.claim(value, NOW, { value: bytes(1_000) })
    await before.stage({ refId: large.refId, valueId: 'v', position: 0 }, bytes(5_000), NOW)
    await before.claim({ ...large, segments: { id: 'v', count: 1 } }, NOW, { index: bytes(10) })
    const unfinished = pending()
    await before.stage({ refId: unfinished.refId, valueId: 'v', position: 0 }, bytes(700), NOW)
    const counted = await before.usage?.()
    await before.close()
    const file = look()
    for (const what of ['entry', 'staged']) {
      for (const how of ['added', 'changed', 'removed']) file.exec(`DROP TRIGGER ${what}_is_${how}`)
    }
    file.exec('DROP INDEX entries_by_use; DROP TABLE store_totals')
    for (const column of ['bytes', 'makes_room', 'used_at'])
      file.exec(`ALTER TABLE entries DROP COLUMN ${column}`)
    file.exec('ALTER TABLE staged_values DROP COLUMN bytes')

    const after = open({ maxEntries: 3 })
    expect(await after.usage?.()).toEqual({ ...counted, maxEntries: 3 })
    expect(counted).toMatchObject({ entries: 3, bytes: 6_810 })
    await after.claim(complete(), NOW + 1)
    expect(await Promise.all([task, value, large].map(({ refId }) => after.get(refId)))).toEqual([
      expect.anything(),
      undefined,
      expect.anything(),
    ])
  })

  it('that is opened with a smaller quota makes room with the next sweep', async () => {
    const before = open()
    for (let n = 0; n < 30; n++) await before.claim(complete(), NOW, { value: bytes(1_000) })
    const after = open({ maxEntries: 10 })
    await after.prune(NOW, 100)
    expect(await after.usage?.()).toMatchObject({ entries: 10, bytes: 10_000 })
  })

  it.each([0, -1, 1.5, Number.NaN])('has no quota of %s', bound => {
    expect(() => sqliteStore(path, { maxEntries: bound })).toThrow(/maxEntries/)
    expect(() => sqliteStore(path, { maxBytes: bound })).toThrow(/maxBytes/)
  })
})

it('a heartbeat costs the counters nothing, and a task that is begun again makes no room', async () => {
  const store = open({ maxEntries: 1 })
  const task = pending()
  await store.claim(task, NOW, { input: bytes(100) })
  await store.update(next(task), 1)
  await store.update(next(complete({ refId: task.refId }), { version: 3 }), 2)
  await store.update({ ...task, version: 4 }, 3)
  await store.claim(complete(), NOW)
  expect(await store.get(task.refId)).toMatchObject({ version: 4 })
})
