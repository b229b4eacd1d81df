import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { loadDriver } from '../../../src/stores/sqlite-driver.ts'
import type { Store } from '../../../src/stores/store.ts'
import { complete, NOW, refIdOf } from '../../../src/testing/store-drafts.ts'

const MB = 1024 * 1024
const { DatabaseSync } = await loadDriver()

let folder: string
let path: string
const open: Store[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-space-'))
  path = join(folder, 'cache.db')
})
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
  rmSync(folder, { recursive: true })
})

function store(): Store {
  const opened = sqliteStore(path)
  open.push(opened)
  return opened
}

/** What the file and its -wal take. */
function diskBytes(): number {
  return [path, `${path}-wal`].reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

const entries = Array.from({ length: 40 }, (_, n) => complete({ refId: refIdOf('files', n) }))

async function fill(into: Store): Promise<void> {
  for (const entry of entries.slice(0, 20)) await into.claim(entry, NOW, { value: new Uint8Array(MB) })
  for (const entry of entries.slice(20)) {
    for (let position = 0; position < 8; position++) {
      await into.stage({ refId: entry.refId, valueId: 'v', position }, new Uint8Array(MB / 8), NOW)
    }
    const segments = { id: 'v', count: 8 }
    await into.claim({ ...entry, segments }, NOW, { index: new Uint8Array(10) })
  }
}

const REMOVALS: Array<[string, (store: Store) => Promise<unknown>]> = [
  ['deleted', async store => Promise.all(entries.map(({ refId }) => store.delete(refId)))],
  ['cleared', store => store.clear('files')],
  ['expired', () => Promise.resolve()],
]

describe('a file', () => {
  it.each(REMOVALS)('shrinks on the disk after its values were %s', async (how, remove) => {
    const filled = store()
    await fill(filled)
    expect(diskBytes()).toBeGreaterThan(40 * MB)
    await remove(filled)
    const sweptAt = how === 'expired' ? NOW + 60_000 : NOW
    await vi.waitUntil(
      async () => {
        await filled.prune(sweptAt, 100)
        return diskBytes() < MB
      },
      { timeout: 30_000, interval: 50 },
    )
    expect(await filled.usage?.()).toMatchObject({ entries: 0, bytes: 0 })
  })

  it('keeps what is left whole while it shrinks beside other processes', async () => {
    const [filled, other] = [store(), store()]
    await fill(filled)
    const kept = entries.filter((_, n) => n % 5 === 0)
    for (const entry of entries) if (!kept.includes(entry)) await other.delete(entry.refId)
    await vi.waitUntil(
      async () => {
        await Promise.all([filled.prune(NOW, 100), other.prune(NOW, 100)])
        await filled.stage(
          { refId: refIdOf('files', 99), valueId: 'v', position: 0 },
          new Uint8Array(10),
          NOW,
        )
        return diskBytes() < 12 * MB
      },
      { timeout: 30_000, interval: 50 },
    )
    for (const [n, { refId }] of kept.entries()) {
      if (n < 4) expect((await other.read(refId, 'value'))?.length).toBe(MB)
      else expect((await other.readSegment({ refId, valueId: 'v', position: 7 }))?.length).toBe(MB / 8)
    }
    const database = new DatabaseSync(path, { readOnly: true })
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()
  })
})
