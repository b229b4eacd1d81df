import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { storeSuite } from '../../src/testing/index.ts'

const MB = 1024 * 1024

storeSuite(
  { describe, it },
  {
    name: 'memory',
    capabilities: { durable: false, shared: false, watch: true },
    maxPartBytes: 64 * MB,
    hasQuota: true,
    keepsSavings: true,
    async open(bounds) {
      const store = memoryStore({ maxBytes: 64 * MB, ...bounds })
      return { store, teardown: () => store.close() }
    },
  },
)

storeSuite(
  { describe, it },
  {
    name: 'sqlite',
    capabilities: { durable: true, shared: true, watch: true },
    maxPartBytes: 1_000_000_000,
    hasQuota: true,
    keepsSavings: true,
    async open(bounds) {
      const folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-'))
      const handles: Store[] = []
      const open = () => {
        const store = sqliteStore(join(folder, 'cache.db'), bounds)
        handles.push(store)
        return store
      }
      const store = open()
      return {
        store,
        async reopen() {
          await store.close()
          return open()
        },
        secondHandle: async () => open(),
        async teardown() {
          for (const handle of handles) await handle.close()
          await rm(folder, { recursive: true })
        },
      }
    },
  },
)
