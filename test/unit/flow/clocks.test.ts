import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Clock } from '../../../src/core/clock.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { encryptedStore } from '../../../src/stores/encrypted.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../../redis-server.ts'
import { deferred } from './scene.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let folder: string
let prefixes = 0
let server: RedisServer | undefined
const caches: RefCache[] = []

beforeAll(async () => {
  if (redisIsInstalled) server = await startRedis()
})
afterAll(() => server?.stop())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  prefixes++
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const cache of caches.splice(0)) await cache.close()
  rmSync(folder, { recursive: true })
})

const keys = { current: { id: 'k', key: Buffer.alloc(32, 1) } }
/** Each call opens the same entries, as another process would. */
const SHARED: Record<string, () => Store> = {
  sqlite: () => sqliteStore(join(folder, 'cache.db')),
  'sqlite, encrypted': () => encryptedStore(sqliteStore(join(folder, 'cache.db')), { keys }),
  ...(redisIsInstalled
    ? { redis: () => redisStore(server?.url ?? '', { prefix: `clocks-${prefixes}:` }) }
    : {}),
}

/** A process that sweeps when it is told to, by a clock of its own, and else once a minute: an hour of every five seconds takes long. */
function processOn(store: Store, clock: Clock) {
  let sweep: () => unknown = () => {}
  const cache = new RefCache({
    name: 'files',
    store,
    defaultTtl: '1h',
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      schedule(ms, callback, kind) {
        if (kind !== 'background' || ms !== 5_000) return clock.schedule(ms, callback, kind)
        sweep = callback
        return clock.schedule(60_000, callback, kind)
      },
    },
  })
  caches.push(cache)
  const handler = vi.fn(async ({ id }: { id: number }) => `result ${id}`)
  const tool = cache.cached({ name: 'tool' }, handler)
  return {
    cache,
    tool,
    handler,
    async sweep() {
      await sweep()
    },
  }
}

const off = (ms: number): Clock => {
  const fake = new FakeClock(Date.now() + ms)
  // Monotonic clocks of two processes have nothing in common.
  return { now: () => fake.now(), monotonic: () => fake.monotonic() - ms / 3, schedule: () => () => {} }
}

describe.each(Object.entries(SHARED))('two processes whose clocks differ, on %s', (_, open) => {
  it.each([2 * HOUR, -2 * HOUR, 30 * DAY, -30 * DAY])(
    'by %d ms: neither deletes what the other keeps, and both find it',
    async ms => {
      const here = processOn(open(), off(0))
      const there = processOn(open(), off(ms))
      const [first, second] = [await here.tool({ id: 1 }), await there.tool({ id: 2 })]
      for (let i = 0; i < 3; i++) for (const each of [there, here]) await each.sweep()
      for (const { cache } of [here, there]) {
        expect(await cache.get(first.refId)).toMatchObject({ value: 'result 1' })
        expect(await cache.get(second.refId)).toMatchObject({ value: 'result 2' })
        expect((await cache.list()).entries).toHaveLength(2)
      }
      expect((await here.tool({ id: 1 })).refId).toBe(first.refId)
      expect((await there.tool({ id: 2 })).refId).toBe(second.refId)
    },
  )

  it.each([2 * HOUR, -2 * HOUR])('by %d ms: what has expired is a hit for neither', async ms => {
    const [right, wrong] = [new FakeClock(Date.now()), new FakeClock(Date.now() + ms)]
    const here = processOn(open(), right)
    const there = processOn(open(), wrong)
    await here.tool({ id: 1 })
    await there.tool({ id: 2 })
    await Promise.all([right.advance(HOUR + 60_000), wrong.advance(HOUR + 60_000)])
    for (const each of [here, there]) for (const id of [1, 2]) await each.tool({ id })
    expect(here.handler.mock.calls.length + there.handler.mock.calls.length).toBeGreaterThanOrEqual(4)
    expect(here.handler.mock.calls.length).toBeGreaterThan(1)
  })
})

describe.each(Object.entries(SHARED))('a result of a process whose clock differs, on %s', (_, open) => {
  it.each([2 * HOUR, -2 * HOUR, 30 * DAY, -30 * DAY])(
    'by %d ms: is a hit for who comes later, also where that process is dead, and for no longer than its ttl',
    async ms => {
      const [wrong, right] = [new FakeClock(Date.now() + ms), new FakeClock(Date.now())]
      const there = processOn(open(), wrong)
      const first = await there.tool({ id: 1 })
      const here = processOn(open(), right)
      expect((await here.tool({ id: 1 })).refId).toBe(first.refId)
      await right.advance(HOUR + 60_000)
      expect((await here.tool({ id: 1 })).refId).not.toBe(first.refId)
    },
  )

  it.each([2 * HOUR, -2 * HOUR])('by %d ms: both find what the other makes', async ms => {
    const here = processOn(open(), off(0))
    const there = processOn(open(), off(ms))
    await Promise.all([here.tool({ id: 1 }), there.tool({ id: 2 })])
    await Promise.all([here.tool({ id: 2 }), there.tool({ id: 1 })])
    expect(here.handler).toHaveBeenCalledTimes(1)
    expect(there.handler).toHaveBeenCalledTimes(1)
  })
})

it('who comes after the machine slept goes by the time of those who slept, and not behind it', async () => {
  const path = join(folder, 'cache.db')
  const clock = new FakeClock(Date.now())
  const slept = processOn(sqliteStore(path), clock)
  const before = await slept.tool({ id: 1 })
  // A monotonic clock stands still meanwhile.
  clock.jump(DAY)
  await slept.sweep()
  const late = processOn(sqliteStore(path), off(DAY))
  expect((await late.tool({ id: 1 })).refId).not.toBe(before.refId)
  await late.sweep()
  expect(await late.cache.get(before.refId)).toMatchObject({ value: 'result 1' })
})

const ALL: Record<string, () => Store> = { memory: () => memoryStore(), ...SHARED }

describe.each(Object.entries(ALL))('a clock that is set by a day, on %s', (_, open) => {
  it.each([DAY, -DAY])('by %d ms: nothing is lost, and what runs ends', async ms => {
    const clock = new FakeClock(Date.now())
    const one = processOn(open(), clock)
    const work = deferred<string>()
    const slow = one.cache.cached({ name: 'slow', asyncTimeout: 0 }, () => work.promise)
    const done = await one.tool({ id: 1 })
    const running = await slow({})
    clock.jump(ms)
    for (let i = 0; i < 3; i++) await one.sweep()
    expect(await one.cache.get(done.refId)).toMatchObject({ value: 'result 1' })
    work.resolve('done')
    const ended = one.cache.get(running.refId, { wait: '10s' })
    expect(await ended).toMatchObject({ status: 'complete', value: 'done' })
    clock.jump(-ms)
    for (let i = 0; i < 3; i++) await one.sweep()
    expect(await one.cache.get(done.refId)).toMatchObject({ value: 'result 1' })
    expect(await one.cache.get(running.refId)).toMatchObject({ value: 'done' })
  })

  it('forwards, as after a sleep: what may have expired is no hit', async () => {
    const clock = new FakeClock(Date.now())
    const one = processOn(open(), clock)
    const first = await one.tool({ id: 1 })
    clock.jump(DAY)
    expect((await one.tool({ id: 1 })).refId).not.toBe(first.refId)
  })

  it('back: what was stored before is no hit for longer than it was to be', async () => {
    const clock = new FakeClock(Date.now())
    const one = processOn(open(), clock)
    await one.tool({ id: 1 })
    clock.jump(-DAY)
    await clock.advance(HOUR + 1)
    await one.tool({ id: 1 })
    expect(one.handler).toHaveBeenCalledTimes(2)
  })
})

it('a result that lies in the future of the only process left is no hit', async () => {
  const path = join(folder, 'cache.db')
  const ahead = processOn(sqliteStore(path), off(DAY))
  const first = await ahead.tool({ id: 1 })
  await ahead.cache.close()
  const right = processOn(sqliteStore(path), off(0))
  expect((await right.tool({ id: 1 })).refId).not.toBe(first.refId)
  expect(await right.cache.get(first.refId)).toMatchObject({ value: 'result 1' })
})

it('a process that was killed does not hold back the others for ever', async () => {
  vi.useFakeTimers({ toFake: ['hrtime'] })
  const path = join(folder, 'cache.db')
  const time = (store: Store, now: number) => store.time?.('files', { now, earliest: now })
  const slow = sqliteStore(path)
  await time(slow, 1_000)
  const other = sqliteStore(path)
  expect(await time(other, HOUR)).toMatchObject({ earliest: expect.closeTo(1_000, -2) })
  vi.advanceTimersByTime(120_000)
  expect(await time(other, HOUR)).toMatchObject({ earliest: HOUR })
  vi.useRealTimers()
  await Promise.all([slow.close(), other.close()])
})
