import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { InvalidArgument } from '../../src/core/errors.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { complete, NOW, refIdOf, until } from '../../src/testing/store-drafts.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

describe('redisStore()', () => {
  it.each([
    [undefined, /set REDIS_URL/],
    ['', /set REDIS_URL/],
    ['localhost:6379', /redis:\/\/host:port/],
  ])('without arguments and with REDIS_URL %j says what to give', (url, said) => {
    vi.stubEnv('REDIS_URL', url)
    expect(() => redisStore()).toThrow(InvalidArgument)
    expect(() => redisStore()).toThrow(said)
    vi.unstubAllEnvs()
  })
})

describe.skipIf(!redisIsInstalled)('on a real server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ settings: () => ['--maxmemory-policy', 'allkeys-lru'] })
  })
  afterAll(() => server?.stop())

  it('takes the server from REDIS_URL, and says once that it evicts', async () => {
    vi.stubEnv('REDIS_URL', server.url)
    const store = redisStore()
    vi.unstubAllEnvs()
    const warnings: string[] = []
    store.warnTo?.(line => warnings.push(line))
    await Promise.all([store.get('files:1'), store.get('files:2')])
    await until(() => warnings.length > 0, 'a warning')
    await store.get('files:1')
    await store.close()
    expect(warnings).toEqual([expect.stringMatching(/maxmemory-policy allkeys-lru.*noeviction/)])
  })

  it('says nothing where a handle stays, or where it may not ask', async () => {
    const warnings: string[] = []
    const admin = redisStore(server.url)
    const { createClient } = await import('@redis/client')
    const client = await createClient({ url: server.url }).connect()
    await client.sendCommand(['ACL', 'SETUSER', 'shy', 'on', '>secret', '~*', '&*', '+@all', '-info'])
    const shy = redisStore(server.url.replace('redis://', 'redis://shy:secret@'))
    shy.warnTo?.(line => warnings.push(line))
    await shy.get('files:1')
    await shy.get('files:1')
    await client.sendCommand(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'])
    admin.warnTo?.(line => warnings.push(line))
    await admin.get('files:1')
    await Promise.all([shy.close(), admin.close()])
    client.destroy()
    expect(warnings).toEqual([])
  })

  it('says how full it is, as far as it may ask', async () => {
    const { createClient } = await import('@redis/client')
    const client = await createClient({ url: server.url }).connect()
    await client.sendCommand(['ACL', 'SETUSER', 'quiet', 'on', '>secret', '~*', '&*', '+@all', '-info'])
    const options = { prefix: 'usage:' }
    const store = redisStore(server.url, options)
    const quiet = redisStore(server.url.replace('redis://', 'redis://quiet:secret@'), options)
    const refIds = [refIdOf('files', 1), refIdOf('files', 2), refIdOf('others', 1)]
    for (const refId of refIds) await store.claim(complete({ refId }), NOW)
    expect(await quiet.usage?.()).toEqual({ entries: 3 })
    expect(await store.usage?.()).toEqual({ entries: 3, bytes: expect.any(Number) })
    await client.sendCommand(['CONFIG', 'SET', 'maxmemory', '100mb'])
    expect(await store.usage?.()).toMatchObject({ entries: 3, maxBytes: 100 * 1024 * 1024 })
    expect((await store.usage?.())?.bytes).toBeGreaterThan(0)
    await client.sendCommand(['CONFIG', 'SET', 'maxmemory', '0'])
    await Promise.all([store.close(), quiet.close()])
    client.destroy()
  })
})
