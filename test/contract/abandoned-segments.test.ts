import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { STAGED_FOR_MS, type Store } from '../../src/stores/store.ts'
import { bytesOf, NOW, refIdOf } from '../../src/testing/store-drafts.ts'

const SEGMENT = { refId: refIdOf('files', 1), valueId: 'a', position: 0 }

// Redis lets them expire by itself.
const STORES: Array<[string, (folder: string) => Store]> = [
  ['memory', () => memoryStore()],
  ['SQLite', folder => sqliteStore(join(folder, 'cache.db'))],
]

describe.each(STORES)('on %s', (_, open) => {
  it('what was staged for an entry that never came goes in time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-staged-'))
    const store = open(folder)
    try {
      await store.stage(SEGMENT, bytesOf('a segment'), NOW)
      await store.prune(NOW + STAGED_FOR_MS - 1, 100)
      expect(await store.readSegment(SEGMENT)).toBeDefined()
      await store.prune(NOW + STAGED_FOR_MS, 100)
      expect(await store.readSegment(SEGMENT)).toBeUndefined()
    } finally {
      await store.close()
      rmSync(folder, { recursive: true })
    }
  })
})
