import { randomBytes } from 'node:crypto'
import { createClient } from '@redis/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreFull } from '../../src/core/errors.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { GRACE_MS } from '../../src/stores/redis-lua.ts'
import type { Store } from '../../src/stores/store.ts'
import { assertBytes, bytesOf, complete, next, pending, refIdOf } from '../../src/testing/store-drafts.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

const MB = 1024 * 1024
const HOUR = 3_600_000

describe.skipIf(!redisIsInstalled)('what is on the server', () => {
  let server: RedisServer
  let admin: Awaited<ReturnType<typeof connect>>
  let store: Store

  const connect = () => createClient({ url: server.url }).connect()
  const keys = async () => (await admin.keys('*')).sort()
  const keyOf = (refId: string, prefix = 'app:') => {
    const [cacheName, id] = refId.split(':')
    return `${prefix}{${cacheName}}:entry:${id}`
  }

  beforeAll(async () => {
    server = await startRedis()
    admin = await connect()
  })
  afterAll(async () => {
    admin?.destroy()
    await server?.stop()
  })
  beforeEach(() => {
    store = redisStore(server.url, { prefix: 'app:', operationTimeout: '20s' })
  })
  afterEach(async () => {
    await store.close()
    await admin.flushAll()
  })

  it('has keys that begin with the prefix and carry the name of their cache as hash tag', async () => {
    const caches = ['files', 'other']
    for (const name of caches) {
      const now = Date.now()
      const parts = { input: bytesOf('in'), value: bytesOf('out') }
      await store.claim(complete({ refId: refIdOf(name, 1), key: 'k1', expiresAt: now + HOUR }), now, parts)
      await store.claim(pending({ refId: refIdOf(name, 2), key: 'k2' }), now, parts)
    }
    const found = await keys()
    expect(found.filter(key => !key.startsWith('app:'))).toEqual([])
    expect(found.filter(key => !caches.some(name => key.startsWith(`app:{${name}}:`)))).toEqual([
      'app:caches',
    ])
  })

  it('leaves the list of caches when all entries are gone, and for a time the latest changes', async () => {
    const now = Date.now()
    const drafts = [pending({ key: 'a' }), complete({ key: 'b', expiresAt: now + HOUR }), complete()]
    for (const draft of drafts) await store.claim(draft, now, { value: bytesOf('out') })
    await store.delete(drafts[0]!.refId)
    await store.clear('files')
    expect(await keys()).toEqual(['app:caches', 'app:{files}:changes'])
    const left = await admin.pTTL('app:{files}:changes')
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(GRACE_MS)
  })

  it('is apart from that of another prefix', async () => {
    const draft = pending({ key: 'k' })
    await store.claim(draft, Date.now())
    const other = redisStore(server.url, { prefix: 'app2:' })
    expect(await other.get(draft.refId)).toBeUndefined()
    expect(await other.clear('files')).toHaveLength(0)
    expect((await other.claim(pending({ key: 'k' }), Date.now())).won).toBe(true)
    await other.close()
    expect(await store.get(draft.refId)).toEqual(draft)
  })

  it('expires by itself, a while after the entry did, and not while the task is in flight', async () => {
    const now = Date.now()
    const task = pending({ key: 'k' })
    await store.claim(task, now, { input: bytesOf('in') })
    expect(await ttls()).toEqual([...Array(await admin.dbSize())].map(() => -1))

    const settled = complete({ refId: task.refId, key: 'k', version: 2, expiresAt: now + HOUR })
    expect(await store.update(settled, 1, { value: bytesOf('out') })).toBe(true)
    for (const key of (await keys()).filter(key => key !== 'app:caches')) {
      const expireTime = await admin.pExpireTime(key)
      expect(expireTime, key).toBe(now + HOUR + GRACE_MS)
    }

    const forever = complete({ expiresAt: undefined })
    await store.claim(forever, now)
    expect(await admin.pTTL('app:{files}:index')).toBe(-1)
    expect(await admin.pTTL('app:{files}:expiry')).toBe(-1)
    expect(await admin.pTTL(keyOf(forever.refId))).toBe(-1)
    expect(await admin.pTTL(keyOf(task.refId))).toBeGreaterThan(HOUR)
  })

  it('keeps an entry that expired long ago until it is pruned, or for as long as the margin', async () => {
    const expired = complete({ expiresAt: 1, key: 'k' })
    await store.claim(expired, Date.now())
    const left = await admin.pTTL(keyOf(expired.refId))
    expect(left).toBeGreaterThan(GRACE_MS - 60_000)
    expect(left).toBeLessThanOrEqual(GRACE_MS)
  })

  it('is forgotten in the indexes when Redis removed the entry itself', async () => {
    const now = Date.now()
    const [gone, listed, pruned] = [1, 2, 3].map(number =>
      complete({ refId: refIdOf('files', number), key: `k${number}`, expiresAt: now + number }),
    )
    for (const draft of [gone!, listed!, pruned!]) await store.claim(draft, now)
    await admin.del(keyOf(gone!.refId))
    expect(await store.list({ cacheName: 'files' })).toEqual([listed, pruned])
    expect(await admin.zCard('app:{files}:index')).toBe(2)
    await admin.del(keyOf(pruned!.refId))
    expect(await store.prune(now + 10, 10)).toHaveLength(1)
    expect(await admin.exists(['app:{files}:index', 'app:{files}:expiry'])).toBe(0)
    // Nor does the key of an entry that is gone stand in the way.
    expect((await store.claim(pending({ key: 'k1' }), now)).won).toBe(true)
  })

  it('is pruned even after the server was emptied, or forgot the scripts', async () => {
    const now = Date.now()
    await store.claim(complete({ expiresAt: now }), now)
    await admin.flushAll()
    await admin.scriptFlush()
    await store.claim(complete({ expiresAt: now }), now)
    expect(await store.prune(now, 10)).toHaveLength(1)
  })

  it('is cleared, listed and pruned in steps when it is much', async () => {
    const now = Date.now()
    const drafts = Array.from({ length: 1_203 }, (_, number) =>
      complete({
        refId: refIdOf('files', number),
        namespace: number % 2 ? 'user:odd' : 'public',
        expiresAt: number < 601 ? now : now + HOUR,
      }),
    )
    await Promise.all(drafts.map(draft => store.claim(draft, now)))
    const listed = await store.list({ cacheName: 'files', limit: 10_000 })
    expect(listed.map(entry => entry.refId)).toEqual(drafts.map(draft => draft.refId))
    expect(await store.list({ cacheName: 'files', namespace: 'user:odd', limit: 600 })).toHaveLength(600)
    expect(await store.prune(now, 550)).toHaveLength(550)
    expect(await store.prune(now, 10_000)).toHaveLength(51)
    expect(await store.clear('files', 'user:odd')).toHaveLength(301)
    expect(await store.clear('files')).toHaveLength(301)
    expect(await keys()).toEqual(['app:caches', 'app:{files}:changes'])
  })

  it('holds a value of 50 MB, byte by byte', async () => {
    const value = new Uint8Array(50 * MB).map((_, i) => (i * 31) ^ (i >> 8) ^ (i >> 16))
    const draft = pending()
    await store.claim(draft, Date.now())
    const settled = complete({ refId: draft.refId, version: 2 })
    expect(await store.update(settled, 1, { value })).toBe(true)
    assertBytes(await store.read(draft.refId, 'value'), value)
  })

  it('gives up the input of a task whose result it has no room for, and then has room for the record of that', async () => {
    const cache = new RefCache({
      name: 'files',
      store,
      storeFullTimeout: '300ms',
      leaseDuration: '1m',
      logger: { warn() {}, error() {} },
    })
    let finish = () => {}
    const work = new Promise<void>(resolve => {
      finish = resolve
    })
    const begun = new Promise<void>(begin => {
      cache.cached({ name: 'work', asyncTimeout: 0 }, (_: { text: string }) => {
        begin()
        return work.then(() => randomBytes(4 * MB).toString('hex'))
      })({ text: randomBytes(4 * MB).toString('hex') })
    })
    await begun
    const [entry] = await store.list({ cacheName: 'files' })
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    await admin.configSet('maxmemory', String(used - MB))
    try {
      finish()
      const answer = await cache.get(entry!.refId, { wait: '10s' }).catch(error => error)
      expect(answer.code ?? answer.errorCode).toBe('store_full')
      await expect
        .poll(() => store.get(entry!.refId))
        .toMatchObject({ status: 'failed', error: { code: 'store_full' } })
      expect(await store.read(entry!.refId, 'input')).toBeUndefined()
    } finally {
      await admin.configSet('maxmemory', '0')
    }
  })

  it('takes no more when the memory is full, says so, and holds no half of anything', async () => {
    const now = Date.now()
    const draft = pending({ key: 'k' })
    await store.claim(draft, now)
    await admin.configSet('maxmemory', '1')
    try {
      const refused = store.update(next(draft), 1, { value: new Uint8Array(MB) })
      await expect(refused).rejects.toThrow(StoreFull)
      await expect(refused).rejects.toThrow(/out of memory: raise its maxmemory/)
      await expect(store.claim(pending({ key: 'k2' }), now)).rejects.toThrow(StoreFull)
      expect(await store.get(draft.refId)).toEqual(draft)
      expect(await store.read(draft.refId, 'value')).toBeUndefined()
      expect(await store.delete(draft.refId)).toBe(true)
    } finally {
      await admin.configSet('maxmemory', '0')
    }
    expect((await store.claim(pending({ key: 'k2' }), now)).won).toBe(true)
  })

  it('is not touched when it is of another program', async () => {
    const draft = pending()
    await admin.set(keyOf(draft.refId), 'theirs')
    await expect(store.get(draft.refId)).rejects.toThrow(/another program.*another prefix/)
    expect(await admin.get(keyOf(draft.refId))).toBe('theirs')
  })

  async function ttls(): Promise<number[]> {
    return Promise.all((await keys()).map(key => admin.pTTL(key)))
  }
})
