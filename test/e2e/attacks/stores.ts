import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '../../../src/stores/memory.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../../redis-server.ts'
import type { StoreName } from './door.ts'

export interface StoreKind {
  readonly name: StoreName
  readonly available: boolean
  /** An empty store, and what removes it once the cache has closed it. */
  open(): Promise<{ store: Store; remove(): Promise<void> }>
  /** Ends what all stores of the kind stand on. */
  end(): Promise<void>
}

const memory: StoreKind = {
  name: 'memory',
  available: true,
  open: async () => ({ store: memoryStore(), remove: async () => {} }),
  end: async () => {},
}

const sqlite: StoreKind = {
  name: 'sqlite',
  available: true,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-attacks-'))
    return {
      store: sqliteStore(join(folder, 'cache.db')),
      remove: () => rm(folder, { recursive: true }),
    }
  },
  end: async () => {},
}

let server: Promise<RedisServer> | undefined
let opened = 0

const redis: StoreKind = {
  name: 'redis',
  available: redisIsInstalled,
  async open() {
    server ??= startRedis()
    const { url } = await server
    // A prefix of its own is an empty server to a store.
    return { store: redisStore(url, { prefix: `attack-${++opened}:` }), remove: async () => {} }
  },
  end: async () => (await server)?.stop(),
}

export const STORES: readonly StoreKind[] = [memory, sqlite, redis]
