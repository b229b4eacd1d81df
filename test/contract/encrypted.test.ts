import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { encryptedStore } from '../../src/stores/encrypted.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { type StoreBounds, storeSuite } from '../../src/testing/index.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

const MB = 1024 * 1024
const keys = { current: { id: '2030-01', key: randomBytes(32) } }

storeSuite(
  { describe, it },
  {
    name: 'encrypted memory',
    capabilities: { durable: false, shared: false, watch: true },
    maxPartBytes: 64 * MB,
    hasQuota: true,
    keepsSavings: true,
    async open(bounds) {
      const store = encryptedStore(memoryStore({ maxBytes: 64 * MB, ...bounds }), { keys })
      return { store, teardown: () => store.close() }
    },
  },
)

shared('encrypted sqlite', true, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-'))
  return {
    open: bounds => sqliteStore(join(folder, 'cache.db'), bounds),
    remove: () => rm(folder, { recursive: true }),
  }
})

describe.skipIf(!redisIsInstalled)('on a real server', () => {
  let server: RedisServer
  let opened = 0
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.stop())

  shared('encrypted redis', false, async () => {
    const prefix = `test-${++opened}:`
    return { open: () => redisStore(server.url, { prefix, operationTimeout: '30s' }), remove: async () => {} }
  })
})

/** No bound on bytes here: to go beyond those of SQLite and Redis takes gigabytes, and memory shows the same. */
function shared(
  name: string,
  hasQuota: boolean,
  place: () => Promise<{ open(bounds?: StoreBounds): Store; remove(): Promise<void> }>,
): void {
  storeSuite(
    { describe, it },
    {
      name,
      capabilities: { durable: true, shared: true, watch: true },
      hasQuota,
      keepsSavings: true,
      async open(bounds) {
        const { open, remove } = await place()
        const handles: Store[] = []
        const handle = () => {
          const store = encryptedStore(open(bounds), { keys })
          handles.push(store)
          return store
        }
        const store = handle()
        return {
          store,
          async reopen() {
            await store.close()
            return handle()
          },
          secondHandle: async () => handle(),
          async teardown() {
            for (const each of handles) await each.close()
            await remove()
          },
        }
      },
    },
  )
}
