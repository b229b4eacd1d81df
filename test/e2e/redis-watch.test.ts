import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { next, pending, put, refIdOf } from '../../src/testing/store-drafts.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

const PATIENCE_MS = 60_000

describe.skipIf(!redisIsInstalled)('watching on Redis', () => {
  let server: RedisServer
  let admin: Awaited<ReturnType<typeof connect>>
  let writer: Store
  let ends: Array<() => unknown>

  const connect = () =>
    createClient({ url: server.url })
      .on('error', () => {})
      .connect()
  const channels = () => admin.pubSubChannels('*')

  beforeEach(async () => {
    server = await startRedis()
    admin = await connect()
    writer = redisStore(server.url, { operationTimeout: '20s' })
    ends = [() => server.stop(), () => admin.destroy(), () => writer.close()]
  })
  afterEach(async () => {
    for (const end of ends.reverse()) await end()
  })

  function open(...args: Parameters<typeof redisStore>): Store {
    const store = redisStore(...args)
    ends.push(() => store.close())
    return store
  }

  /** No poll can be what rings. */
  const unpolled = { pollInterval: '1h', operationTimeout: '20s' } as const

  it('subscribes to what is watched, each entry once, and to nothing else', async () => {
    const store = open(server.url, unpolled)
    const refIds = Array.from({ length: 2_000 }, (_, number) => refIdOf('files', number))
    const rung = new Set<string>()
    const watches = refIds.flatMap(refId => [
      store.watch(refId, () => rung.add(refId)),
      store.watch(refId, () => {}),
    ])
    await until(async () => (await channels()).length === 2_000, 'a channel for each')
    await until(() => rung.size === 2_000, 'a ring for each when its subscription is in force')
    rung.clear()
    await put(writer, pending({ refId: refIds[7]! }))
    await put(writer, pending({ refId: refIdOf('files', 9_999) }))
    await put(writer, pending({ refId: refIdOf('other', 7) }))
    await until(() => rung.size > 0, 'the change to be heard of')
    expect([...rung]).toEqual([refIds[7]])
    for (const end of watches) end()
    await until(async () => (await channels()).length === 0, 'no channel to be left')
  })

  it('asks nothing of the server for a watch that ends at once', async () => {
    const store = open(server.url, unpolled)
    const keep = store.watch(refIdOf('files', 1), () => {})
    await until(async () => (await channels()).length === 1, 'the subscription')
    const before = await subscribeCalls()
    for (let i = 0; i < 100; i++) store.watch(refIdOf('files', 100 + i), () => {})()
    await sleep(100)
    expect(await subscribeCalls()).toBe(before)
    keep()
  })

  it.each(['a URL', 'node-redis', 'ioredis'])(
    'hears again after its connection was lost, by %s',
    async by => {
      const store = open(await clientOf(by), unpolled)
      const [kept, added] = [pending(), pending()]
      await put(writer, kept)
      await put(writer, added)
      const calls = { kept: 0, added: 0 }
      store.watch(kept.refId, () => calls.kept++)
      const dropped = store.watch(refIdOf('files', 5), () => {})
      await until(async () => (await channels()).length === 2, 'the subscriptions')
      await sleep(100)

      calls.kept = 0
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
      dropped()
      store.watch(added.refId, () => calls.added++)
      await until(() => calls.kept > 0, 'a ring for what may have been missed')
      await until(() => calls.added > 0, 'a ring for the new one')
      await until(async () => (await channels()).length === 2, 'the right subscriptions')
      await sleep(100)

      Object.assign(calls, { kept: 0, added: 0 })
      await writer.update(next(kept), 1)
      await writer.update(next(added), 1)
      await until(() => calls.kept > 0 && calls.added > 0, 'the changes to be heard of')
    },
  )

  it('hears again after the server was killed and started', async () => {
    const store = open(server.url, unpolled)
    const draft = pending()
    let calls = 0
    store.watch(draft.refId, () => calls++)
    await until(() => calls > 0, 'the subscription')
    await server.kill()
    await server.start()
    await until(async () => {
      await put(writer, pending())
      return (await channels()).length === 1
    }, 'the subscription to be back')
    await sleep(100)
    calls = 0
    await put(writer, draft)
    await until(() => calls > 0, 'the change to be heard of')
  })

  it('looks now and then where it may not subscribe', async () => {
    await admin.sendCommand(['ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', '&*', '+@all', '-subscribe'])
    const deaf = server.url.replace('redis://', 'redis://deaf:pw@')
    const store = open(deaf, { pollInterval: '50ms', operationTimeout: '20s' })
    const draft = pending()
    await put(writer, draft)
    let seen = 0
    const end = store.watch(draft.refId, async () => {
      seen = (await store.get(draft.refId))?.version ?? 0
    })
    await until(() => seen === 1, 'a look')
    await writer.update(next(draft), 1)
    await until(() => seen === 2, 'another look')
    end()
    expect(await channels()).toEqual([])
  })

  it('does not look now and then where it is told', async () => {
    const store = open(server.url, { pollInterval: '20ms', operationTimeout: '20s' })
    let calls = 0
    store.watch(refIdOf('files', 1), () => calls++)
    await until(async () => (await channels()).length === 1, 'the subscription')
    await until(async () => {
      calls = 0
      await sleep(300)
      return calls === 0
    }, 'no look any more')
  })

  async function clientOf(by: string): Promise<Parameters<typeof redisStore>[0]> {
    if (by === 'a URL') return server.url
    if (by === 'node-redis') {
      const client = await connect()
      ends.push(() => client.destroy())
      return client
    }
    const client = new Redis(server.url).on('error', () => {})
    ends.push(() => client.disconnect())
    return client
  }

  async function subscribeCalls(): Promise<number> {
    const stats = String(await admin.sendCommand(['INFO', 'commandstats']))
    return Number(/cmdstat_subscribe:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }
})

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(20)) {
    if (await condition()) return
    if (Date.now() > end) expect.unreachable(`${what}: should have come by now`)
  }
}
