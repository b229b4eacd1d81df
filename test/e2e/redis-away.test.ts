import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inspect, promisify } from 'node:util'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { InvalidArgument, StoreUnavailable } from '../../src/core/errors.ts'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { assertBytes, bytesOf, complete, next, pending, put } from '../../src/testing/store-drafts.ts'
import {
  freePort,
  type RedisServer,
  type RedisServerOptions,
  redisIsInstalled,
  startRedis,
} from '../redis-server.ts'

/** Far above what is waited for, so that a slow machine fails no test; far below what "for ever" would be. */
const PATIENCE_MS = 60_000

let ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  ends = []
})

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  ends.push(() => server.stop())
  return server
}

function open(...args: Parameters<typeof redisStore>): Store {
  const store = redisStore(...args)
  ends.push(() => store.close())
  return store
}

describe('a server that is not there', () => {
  it('fails every operation within operationTimeout, and at once when it is known', async () => {
    const port = await freePort()
    const store = open(`redis://127.0.0.1:${port}`, { operationTimeout: 300 })
    const first = await failure(() => store.get(pending().refId))
    expect(first.message).toContain(`Redis at redis://127.0.0.1:${port} cannot be reached`)
    expect(first.message).toContain('ECONNREFUSED')
    expect(first.ms).toBeGreaterThanOrEqual(290)
    expect(first.ms).toBeLessThan(PATIENCE_MS)
    const operations = [
      () => store.claim(pending(), 0),
      () => store.update(pending(), 1),
      () => store.read(pending().refId, 'value'),
      () => store.delete(pending().refId),
      () => store.list({ cacheName: 'files' }),
      () => store.clear('files'),
      () => store.prune(0, 1),
    ]
    for (const operation of operations) {
      // Who waits for nothing is done before any timer, however busy the machine is.
      const timer = sleep(1).then(() => 'it waited')
      await expect(Promise.race([operation(), timer])).rejects.toThrow(StoreUnavailable)
    }
  })

  it('does not hinder watch, nor the close', async () => {
    const store = open(`redis://127.0.0.1:${await freePort()}`, { operationTimeout: 100, pollInterval: 50 })
    let calls = 0
    const end = store.watch(pending().refId, () => calls++)
    await rings(() => calls)
    end()
    await store.close()
    await expect(store.get(pending().refId)).rejects.toThrow(/closed/)
  })
})

describe.skipIf(!redisIsInstalled)('a server that goes away', () => {
  const clients: Record<string, (url: string) => Promise<Parameters<typeof redisStore>[0]>> = {
    'a URL': async url => url,
    'a client of node-redis': async url => {
      const client = createClient({ url, socket: { reconnectStrategy: 50 } }).on('error', () => {})
      ends.push(() => client.destroy())
      return client.connect()
    },
    'a client of ioredis': async url => {
      const client = new Redis(url).on('error', () => {})
      ends.push(() => client.disconnect())
      return client
    },
  }

  it.each(Object.keys(clients))('and comes back is used again without a restart, by %s', async name => {
    const server = await start({ durable: true })
    const store = open(await clients[name]!(server.url), { operationTimeout: 2_000 })
    const draft = pending({ key: 'k' })
    await put(store, draft, { input: bytesOf('in') })
    const writer = countUp(store, draft.refId)
    await writer.counts(3)
    await server.kill()
    await writer.fails()
    await server.start()
    await writer.counts(3)
    const { counted, uncertain, errors } = await writer.stop()

    expect(errors.filter(error => !(error instanceof StoreUnavailable))).toEqual([])
    // What was confirmed is there; what failed half-way may be, once.
    const version = (await store.get(draft.refId))!.version
    expect(version).toBeGreaterThanOrEqual(1 + counted)
    expect(version).toBeLessThanOrEqual(1 + counted + uncertain)
    assertBytes(await store.read(draft.refId, 'input'), bytesOf('in'))
    expect((await store.claim(pending({ key: 'k' }), Date.now())).won).toBe(false)
  })

  it('makes those that wait for it fail, however many, and keeps none of them', async () => {
    const server = await start()
    const store = open(server.url, { operationTimeout: 4_000 })
    const draft = pending()
    await put(store, draft)
    process.kill(server.pid, 'SIGSTOP')
    const since = performance.now()
    const waiting = Array.from({ length: 200 }, () => store.get(draft.refId))
    for (const outcome of await Promise.allSettled(waiting)) expect(outcome.status).toBe('rejected')
    expect(performance.now() - since).toBeLessThan(PATIENCE_MS)
    // From now on nothing is sent to it, and nobody waits.
    const late = performance.now()
    for (let i = 0; i < 200; i++) await expect(store.get(draft.refId)).rejects.toThrow(StoreUnavailable)
    expect(performance.now() - late).toBeLessThan(200 * 4_000)
    process.kill(server.pid, 'SIGCONT')
    await eventually(() => store.get(draft.refId))
    expect(await store.get(draft.refId)).toEqual(draft)
  })

  it('is not blamed when this process was too busy to hear its answer', async () => {
    const server = await start()
    const store = open(server.url, { operationTimeout: 4_000 })
    const draft = pending()
    await put(store, draft)
    const answer = store.get(draft.refId)
    // First the client is handed the command, then it writes it; what blocks then is followed by timers, not by I/O.
    await new Promise(resolve => process.nextTick(resolve))
    await new Promise(setImmediate)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_000)
    expect(await answer).toEqual(draft)
  })

  it('may come back without the scripts and the entries that it had', async () => {
    const server = await start()
    const store = open(server.url, { operationTimeout: 2_000 })
    await put(store, complete({ expiresAt: 1 }))
    await server.kill()
    await server.start()
    await eventually(() => store.list({ cacheName: 'files' }))
    expect(await store.list({ cacheName: 'files' })).toEqual([])
    await put(store, complete({ expiresAt: 1 }))
    expect(await store.prune(1, 10)).toHaveLength(1)
  })

  it('leaves a given client to its owner', async () => {
    const server = await start()
    const client = await createClient({ url: server.url })
      .on('error', () => {})
      .connect()
    ends.push(() => client.destroy())
    const listeners = () => client.eventNames().map(event => [event, client.listenerCount(event)])
    const before = listeners()
    const store = redisStore(client)
    await put(store, pending())
    await store.close()
    expect(client.isReady).toBe(true)
    expect(listeners()).toEqual(before)
  })
})

describe.skipIf(!redisIsInstalled)('secrets', () => {
  const SECRET = 's3cret/%@word'

  it('open the door', async () => {
    const server = await start({ password: SECRET })
    const store = open(server.url)
    await put(store, pending())
    let calls = 0
    const watched = pending()
    store.watch(watched.refId, () => calls++)
    await put(store, watched)
    await rings(() => calls)
  })

  it('are in no error: not a wrong password, a missing one, a server that is gone', async () => {
    const server = await start({ password: 'right' })
    const wrong = `:${encodeURIComponent(SECRET)}@127.0.0.1`
    const stores = [
      open(`redis://${wrong}:${server.port}`, { operationTimeout: 300 }),
      open(`redis://someone${wrong}:${server.port}/1`, { operationTimeout: 300 }),
      open(`redis://${wrong}:${await freePort()}`, { operationTimeout: 300 }),
      open(`redis://127.0.0.1:${server.port}`, { operationTimeout: 300 }),
    ]
    for (const store of stores) {
      const { error } = await failure(() => put(store, pending(), { value: bytesOf(SECRET) }))
      expectNoSecret(error)
    }
  })

  it('are in no error of ioredis, which keeps what it sent', async () => {
    const server = await start({ password: 'right' })
    const client = new Redis(server.port, { password: SECRET }).on('error', () => {})
    ends.push(() => client.disconnect())
    expectNoSecret((await failure(() => open(client, { operationTimeout: 300 }).get(pending().refId))).error)

    const admin = new Redis(server.url)
    ends.push(() => admin.disconnect())
    await admin.config('SET', 'maxmemory', '1')
    const { error } = await failure(() => put(open(admin), pending(), { value: bytesOf(SECRET) }))
    expect(error.message).toContain('out of memory')
    expectNoSecret(error)
  })

  it.each([
    `redis://:${SECRET}@host:not-a-port`,
    `redis//:${SECRET}@host`,
    `https://:${encodeURIComponent(SECRET)}@host`,
    `redis://:${encodeURIComponent(SECRET)}@host/name`,
    `redis://:${encodeURIComponent(SECRET)}%@host`,
  ])('are in no error about a malformed URL (%#)', url => {
    let thrown: unknown
    try {
      redisStore(url)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(InvalidArgument)
    expectNoSecret(thrown)
  })

  function expectNoSecret(error: unknown): void {
    const told = inspect(error, { depth: 20, showHidden: true })
    for (const secret of [SECRET, encodeURIComponent(SECRET), 's3cret']) expect(told).not.toContain(secret)
  }
})

describe('what redisStore is given', () => {
  it('has to be a URL, or a client it knows', () => {
    expect(() => redisStore({} as never)).toThrow(InvalidArgument)
    expect(() => redisStore('')).toThrow(InvalidArgument)
  })

  it('has to be sound', () => {
    expect(() => redisStore('redis://host', { prefix: 'a{b}' })).toThrow(/prefix/)
    expect(() => redisStore('redis://host', { operationTimeout: -1 })).toThrow(/operationTimeout/)
    expect(() => redisStore('redis://host', { pollInterval: 'soon' as never })).toThrow(/pollInterval/)
  })

  it('needs @redis/client for a URL, and says so', async () => {
    const withoutIt = `export async function resolve(specifier, context, next) {
      if (specifier.startsWith('@redis/')) {
        throw Object.assign(new Error("Cannot find package '" + specifier + "'"), { code: 'ERR_MODULE_NOT_FOUND' })
      }
      return next(specifier, context)
    }`
    const script = `
      import { register } from 'node:module'
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(withoutIt)}`)})
      const { redisStore } = await import('./dist/stores/redis.js')
      const store = redisStore('redis://127.0.0.1:1')
      store.watch('files:0', () => {})
      await store.get('files:0').catch(error => console.log(error.code, error.message))
      await store.close()`
    const options = { cwd: fileURLToPath(new URL('../..', import.meta.url)) }
    const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options)
    const { stdout, stderr } = await child
    expect(stdout).toMatch(/^store_unavailable .*npm install @redis\/client/)
    expect(stderr).toBe('')
  })
})

async function failure(operation: () => Promise<unknown>) {
  const start = performance.now()
  const error = await operation().then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(StoreUnavailable)
  return {
    error: error as StoreUnavailable,
    message: (error as Error).message,
    ms: performance.now() - start,
  }
}

async function rings(calls: () => number): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; calls() === 0; await sleep(10)) {
    if (Date.now() > end) expect.unreachable('nobody was told')
  }
}

async function eventually(operation: () => Promise<unknown>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(20)) {
    try {
      await operation()
      return
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}

/** Counts the versions of an entry up, as fast as it can, whatever fails. */
function countUp(store: Store, refId: string) {
  let counted = 0
  let uncertain = 0
  let stopped = false
  const errors: unknown[] = []
  const done = (async () => {
    while (!stopped) {
      try {
        const entry = await store.get(refId)
        uncertain++
        if (await store.update(next(entry!), entry!.version)) counted++
        uncertain--
      } catch (error) {
        errors.push(error)
        await sleep(5)
      }
    }
  })()
  const until = async (condition: () => boolean) => {
    for (const end = Date.now() + PATIENCE_MS; !condition(); await sleep(5)) {
      if (Date.now() > end) expect.unreachable(`it should have gone on; last: ${errors.at(-1)}`)
    }
  }
  return {
    counts: async (times: number) => {
      const before = counted
      await until(() => counted >= before + times)
    },
    fails: async () => {
      const before = errors.length
      await until(() => errors.length > before)
    },
    stop: async () => {
      stopped = true
      await done
      return { counted, uncertain, errors }
    },
  }
}
