import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { type StoreSetup, storeSuite } from '../../src/testing/index.ts'
import { type RedisServer, redisIsInstalled, sayWhatIsSkipped, startRedis } from '../redis-server.ts'

sayWhatIsSkipped()

describe.skipIf(!redisIsInstalled)('on a real server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.stop())

  storeSuite(
    { describe, it },
    setup('redis', async prefix => ({ store: redisStore(server.url, { prefix, operationTimeout: '30s' }) })),
  )

  storeSuite(
    { describe, it },
    setup('redis, by a client of node-redis', async prefix => {
      const client = await createClient({ url: server.url })
        .on('error', () => {})
        .connect()
      return {
        store: redisStore(client, { prefix, operationTimeout: '30s' }),
        release: () => client.destroy(),
      }
    }),
  )

  storeSuite(
    { describe, it },
    setup('redis, by a client of ioredis', async prefix => {
      const client = new Redis(server.url, { lazyConnect: true }).on('error', () => {})
      return {
        store: redisStore(client, { prefix, operationTimeout: '30s' }),
        release: () => client.disconnect(),
      }
    }),
  )
})

describe.skipIf(!redisIsInstalled)('on a cluster', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({
      settings: () => ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    })
    const admin = await createClient({ url: server.url }).connect()
    await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
    while (!String(await admin.sendCommand(['CLUSTER', 'INFO'])).includes('cluster_state:ok'));
    admin.destroy()
  })
  afterAll(() => server?.stop())

  // One node has all slots, and still refuses a script that reaches for keys of several.
  storeSuite(
    { describe, it },
    setup('redis, by a cluster client of ioredis', async prefix => {
      const client = new Redis.Cluster([server], { lazyConnect: true }).on('error', () => {})
      return {
        store: redisStore(client, { prefix, operationTimeout: '30s' }),
        release: () => client.disconnect(),
      }
    }),
  )
})

let opened = 0

function setup(
  name: string,
  open: (prefix: string) => Promise<{ store: Store; release?: () => void }>,
): StoreSetup {
  return {
    name,
    capabilities: { durable: true, shared: true, watch: true },
    maxPartBytes: 512 * 1024 * 1024,
    keepsSavings: true,
    async open() {
      // A prefix of its own is an empty server to a store.
      const prefix = `test-${++opened}:`
      const handles: Array<Awaited<ReturnType<typeof open>>> = []
      const handle = async () => {
        const made = await open(prefix)
        handles.push(made)
        return made.store
      }
      const store = await handle()
      return {
        store,
        async reopen() {
          await store.close()
          return handle()
        },
        secondHandle: handle,
        async teardown() {
          for (const { store, release } of handles) {
            await store.close()
            release?.()
          }
        },
      }
    },
  }
}
