import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { StoreUnavailable } from '../../src/core/errors.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'
import { deferred } from '../unit/flow/scene.ts'

const logger = { warn() {}, error() {} }

describe.skipIf(!redisIsInstalled)('a Redis that is full', () => {
  let server: RedisServer
  let admin: { sendCommand(args: string[]): Promise<unknown>; destroy(): void }
  let opened = 0
  beforeAll(async () => {
    server = await startRedis()
    const { createClient } = await import('@redis/client')
    admin = await createClient({ url: server.url }).connect()
  })
  afterAll(async () => {
    admin?.destroy()
    await server?.stop()
  })
  const setFull = (full: boolean) => admin.sendCommand(['CONFIG', 'SET', 'maxmemory', full ? '1' : '0'])

  /** Two processes with one store and one clock, which goes on when both have done what is due. */
  function twoProcesses() {
    const clock = new FakeClock(Date.now())
    const prefix = `full-${++opened}:`
    const stores = [0, 1].map(() => counted(redisStore(server.url, { prefix })))
    const [here, there] = stores.map(
      ({ store }) => new RefCache({ name: 'files', store, clock, logger }),
    ) as [RefCache, RefCache]
    async function advance(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        await clock.advance('1s')
        await Promise.all(stores.map(({ quiet }) => quiet()))
      }
    }
    return { here, there, advance, kill: () => stores[0]?.kill() }
  }

  it.each([28, 31, 33, 36, 61, 120])(
    'for %d s: nobody takes the silence of a process for its death, and its result is stored when there is room',
    async seconds => {
      const { here, there, advance } = twoProcesses()
      const work = deferred<string>()
      const handler = vi.fn(() => work.promise)
      const options = { name: 'slow', asyncTimeout: 0, idempotent: true }
      const { refId } = await here.cached(options, handler)({})
      there.cached(options, handler)
      await advance(3)
      await setFull(true)
      await advance(seconds)
      await setFull(false)
      await advance(12)
      expect(await there.get(refId)).toMatchObject({ status: 'processing' })
      work.resolve('done')
      await advance(10)
      expect(await there.get(refId)).toMatchObject({ status: 'complete', value: 'done' })
      expect(handler).toHaveBeenCalledTimes(1)
      await Promise.all([here.close(), there.close()])
    },
  )

  it('still loses what has expired, and takes a dead process for dead when there is room', async () => {
    const { here, there, advance, kill } = twoProcesses()
    const options = { name: 'slow', asyncTimeout: 0, idempotent: true }
    const dead = await here.cached(options, () => new Promise(() => {}))({})
    const short = await there.set('short', 1, { ttl: '1s' })
    await advance(1)
    kill()
    there.cached(options, () => 'done by another')
    await setFull(true)
    await advance(40)
    expect(await there.exists(short.refId)).toBe(false)
    await setFull(false)
    await advance(45)
    expect(await there.get(dead.refId)).toMatchObject({ status: 'complete', value: 'done by another' })
    await Promise.all([here.close(), there.close()])
  })
})

/** The store, when it has nothing left to do, and the end of what its process can do with it. */
function counted(store: Store) {
  let pending = 0
  let killed = false
  const counting = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (killed && name !== 'close') return () => Promise.reject(new StoreUnavailable('killed'))
      return (...args: unknown[]) => {
        const result = member.apply(target, args)
        if (result instanceof Promise) return underWay(result)
        return name === 'tasksOf' ? eachUnderWay(result) : result
      }
    },
  })
  function underWay<T>(work: Promise<T>): Promise<T> {
    pending++
    const done = () => {
      pending--
    }
    work.then(done, done)
    return work
  }
  /** What is given batch by batch: each is waited for, like an answer. */
  async function* eachUnderWay<T>(batches: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = batches[Symbol.asyncIterator]()
    for (;;) {
      const next = await underWay(iterator.next())
      if (next.done) return
      yield next.value
    }
  }
  async function quiet() {
    for (let turns = 0; turns < 3; turns = pending === 0 ? turns + 1 : 0) await turn()
  }
  const kill = () => {
    killed = true
  }
  return { store: counting, quiet, kill }
}
