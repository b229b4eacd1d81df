import { describe, expect, it, vi } from 'vitest'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import type { CacheEvent, CacheEventType } from '../../../src/core/events.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, scene, storeWith } from './scene.ts'

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1)

describe('progress', () => {
  it('is written at most once in 100 ms, and the last report always lands', async () => {
    const store = memoryStore()
    const update = vi.spyOn(store, 'update')
    const { cache, clock } = scene({ store })
    const { refId } = await cache.cached(
      { name: 'busy', asyncTimeout: 0 },
      async (_: object, task: TaskContext) => {
        for (let n = 1; n <= 1_000; n++) {
          task.progress(n, 1_000)
          await new Promise<void>(done => clock.schedule(1, done))
        }
        task.progress(1_000, 1_000, 'last')
        throw new Error('to keep the progress')
      },
    )({})
    await clock.advance(2_000)
    expect(update.mock.calls.length).toBeLessThan(16)
    expect(await cache.get(refId)).toMatchObject({
      progress: { current: 1_000, message: 'last', percentage: 100 },
    })
  })

  it('reaches a caller and a poller of this process report by report, in order, once each', async () => {
    const store = memoryStore()
    const update = vi.spyOn(store, 'update')
    const { cache, clock } = scene({ store })
    const step = () => new Promise<void>(done => clock.schedule(50, done))
    const busy = cache.cached({ name: 'busy', asyncTimeout: '1s' }, async (_: object, task: TaskContext) => {
      for (let n = 1; n <= 40; n++) {
        task.progress(n, 40)
        await step()
      }
    })
    const called: unknown[] = []
    const polled: unknown[] = []
    const calling = busy({}, { onProgress: ({ current }) => called.push(current) })
    await clock.advance(1_010)
    const { refId } = await calling
    const polling = cache.get(refId, { wait: '10s', onProgress: ({ current }) => polled.push(current) })
    await clock.advance(2_000)
    await polling
    expect(called).toEqual(upTo(20))
    // First what the entry said.
    expect(polled.slice(1)).toEqual(upTo(40).slice(21))
    expect(update.mock.calls.length).toBeLessThan(25)
  })

  it('of a handler that reports without end reaches a caller at a rate that it can use, the last one too', async () => {
    const { cache, clock } = scene()
    const heard: Array<number | undefined> = []
    const calling = cache.cached({ name: 'busy' }, async (_: object, task: TaskContext) => {
      for (let n = 1; n <= 100_000; n++) task.progress(n)
      await new Promise<void>(done => clock.schedule(1_000, done))
    })({}, { onProgress: ({ current }) => heard.push(current) })
    await clock.advance(1_000)
    await calling
    expect(heard.length).toBeLessThan(210)
    expect(heard.at(-1)).toBe(100_000)
  })

  it('keeps one write under way at most, however slow the store, and does not delay the settlement', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store })
    const update = store.update.bind(store)
    store.update = async (...args) => {
      await new Promise<void>(done => clock.schedule(400, done))
      return update(...args)
    }
    const { refId } = await cache.cached(
      { name: 'busy', asyncTimeout: 0 },
      async (_: object, task: TaskContext) => {
        for (let n = 1; n <= 50; n++) {
          task.progress(n, 50)
          await new Promise<void>(done => clock.schedule(100, done))
        }
      },
    )({})
    // The start, five seconds of work, at most one write of progress that is under way, the settlement.
    await clock.advance(400 + 5_000 + 400 + 400 + 100)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete' })
  })

  it('costs little enough to be called a million times', async () => {
    const store = memoryStore()
    const update = vi.spyOn(store, 'update')
    const { cache } = scene({ store })
    await cache.cached({ name: 'million' }, (_: object, task: TaskContext) => {
      for (let n = 0; n < 1_000_000; n++) task.progress(n, 1_000_000)
    })({})
    expect(update.mock.calls.length).toBeLessThan(6)
  })

  it('goes back and changes its total without making nonsense', async () => {
    const { cache, clock } = scene()
    const work = deferred()
    const { refId } = await cache.cached(
      { name: 'odd', asyncTimeout: 0 },
      async (_: object, task: TaskContext) => {
        for (const [current, total] of [
          [5, 10],
          [2, 10],
          [3, 0],
          [8, 4],
          [1, 1_000],
        ] as const) {
          task.progress(current, total)
          await new Promise<void>(done => clock.schedule(200, done))
        }
        await work.promise
      },
    )({})
    for (let n = 0; n < 10; n++) {
      await clock.advance(100)
      const { etaSeconds = 0, progress } = (await cache.get(refId)) as {
        etaSeconds?: number
        progress?: { percentage?: number }
      }
      expect(etaSeconds >= 0 && Number.isFinite(etaSeconds)).toBe(true)
      const percentage = progress?.percentage ?? 0
      expect(percentage >= 0 && percentage <= 100).toBe(true)
    }
  })
})

describe('an ETA from history', () => {
  it('is given, and marked, for a task that reports nothing, once there were enough runs', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'steady', asyncTimeout: 0, memoize: false }, async () => {
      await new Promise<void>(done => clock.schedule(20_000, done))
    })
    for (let n = 0; n < 5; n++) {
      const { refId } = await tool({})
      await clock.advance(5_000)
      expect(await cache.get(refId)).not.toHaveProperty('etaSeconds')
      await clock.advance(15_000)
    }
    const { refId } = await tool({})
    await clock.advance(5_000)
    expect(await cache.get(refId)).toMatchObject({ etaSeconds: 15, etaBasis: 'history' })
  })
})

describe('retention', () => {
  it('failed and cancelled tasks keep their record for taskRetention', async () => {
    const { cache, clock } = scene({ taskRetention: '10m', defaultTtl: '1m' })
    const { refId } = await cache.cached({ name: 'bad', asyncTimeout: 0 }, () =>
      Promise.reject(new Error('no')),
    )({})
    await clock.advance('9m')
    expect(await cache.get(refId)).toMatchObject({ status: 'failed' })
    await clock.advance('1m')
    expect(await cache.exists(refId)).toBe(false)
  })

  it('a background result obeys the ttl of its tool like any other', async () => {
    const { cache, clock } = scene()
    const work = deferred<string>()
    const { refId } = await cache.cached({ name: 'bg', asyncTimeout: 0, ttl: '1m' }, () => work.promise)({})
    await clock.advance('30m')
    work.resolve('v')
    await clock.advance('59s')
    expect(await cache.get(refId)).toMatchObject({ value: 'v' })
    await clock.advance('1s')
    expect(await cache.exists(refId)).toBe(false)
  })

  it('a value is read although its renewal fails', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store })
    const { refId } = await cache.set('s', 'v', { ttlMode: 'sliding', ttl: '10m' })
    await clock.advance('5m')
    store.update = () => Promise.reject(new StoreUnavailable('full'))
    expect(await cache.get(refId)).toMatchObject({ value: 'v' })
    expect(await cache.resolve(refId)).toBe('v')
  })

  it('reading renews where ttlMode is sliding, and only there', async () => {
    const { cache, clock } = scene({ defaultTtl: '10m' })
    const sliding = await cache.set('s', 1, { ttlMode: 'sliding' })
    const fixed = await cache.set('f', 1)
    for (let n = 0; n < 5; n++) {
      await clock.advance('4m')
      await cache.get(sliding.refId)
      await cache.get(fixed.refId).catch(() => {})
    }
    expect(await cache.exists(sliding.refId)).toBe(true)
    expect(await cache.exists(fixed.refId)).toBe(false)
    await clock.advance('10m')
    expect(await cache.exists(sliding.refId)).toBe(false)
  })
})

describe('events', () => {
  it('tell what happens, in order, without values or words', async () => {
    const { cache, clock } = scene()
    const seen: CacheEvent[] = []
    const types: CacheEventType[] = [
      'entry:stored',
      'entry:hit',
      'entry:joined',
      'entry:deleted',
      'task:started',
      'task:progress',
      'task:retrying',
      'task:settled',
    ]
    for (const type of types) cache.on(type, event => seen.push(event))
    let runs = 0
    const tool = cache.cached(
      { name: 'noisy', asyncTimeout: 0, maxRetries: 1 },
      async (_: object, task: TaskContext) => {
        task.progress(1, 2, 'secret')
        if (++runs === 1) throw new Error('secret')
        return 'secret'
      },
    )
    await tool({})
    await clock.advance(0)
    await tool({})
    await clock.advance(5_000)
    await tool({})
    await cache.set('v', 'secret')
    expect(seen.map(({ type }) => type)).toEqual([
      'task:started',
      'task:progress',
      'task:retrying',
      'entry:joined',
      'task:started',
      'task:progress',
      'task:settled',
      'entry:hit',
      'entry:stored',
    ])
    expect(JSON.stringify(seen)).not.toContain('secret')
  })

  it('a listener that throws harms nothing, and one that left hears nothing', async () => {
    const { cache } = scene()
    const heard = vi.fn()
    cache.on('entry:stored', () => {
      throw new Error('mine')
    })
    const end = cache.on('entry:stored', heard)
    await cache.set('v', 1)
    end()
    await cache.set('v', 1)
    expect(heard).toHaveBeenCalledTimes(1)
  })
})

describe('closing', () => {
  it('does not wait for a task that only waits for an answer', async () => {
    const { clock, cache } = scene()
    const ASK = { message: '?', requestedSchema: { type: 'object', properties: {} } }
    const tool = cache.cached({ name: 'ask', asyncTimeout: 0 }, (_, task) => task.elicit(ASK))
    const { refId } = await tool({}, { interactive: true })
    await clock.advance(0)
    expect(await cache.get(refId)).toHaveProperty('inputRequests')
    const closed = vi.fn()
    void cache.close({ drain: '10s' }).then(closed)
    await clock.advance(0)
    expect(closed).toHaveBeenCalled()
  })

  it('gives running tasks the drain to finish', async () => {
    const { cache, clock } = scene()
    const store = memoryStore()
    const draining = new RefCache({ name: 't', clock, store })
    const settled = vi.fn()
    draining.on('task:settled', settled)
    await draining.cached({ name: 'slow', asyncTimeout: 0 }, async () => {
      await new Promise<void>(done => clock.schedule(3_000, done))
    })({})
    const closed = draining.close({ drain: '5s' })
    await clock.advance(3_000)
    await closed
    expect(settled).toHaveBeenCalledWith(expect.objectContaining({ status: 'complete' }))
    await cache.close()
  })

  it('closes where `await using` leaves its block', async () => {
    const close = vi.fn()
    const { cache } = scene({ audit: { write: () => {}, close } })
    await cache[Symbol.asyncDispose]()
    await expect(cache.set('a', 1)).rejects.toThrow('closed')
    expect(close).toHaveBeenCalledOnce()
  })

  it('fails what may not be repeated, and takes no more calls', async () => {
    const { cache, clock } = scene()
    const settled = vi.fn()
    cache.on('task:settled', settled)
    const tool = cache.cached({ name: 'stuck', asyncTimeout: 0 }, () => new Promise(() => {}))
    await tool({})
    await clock.advance(0)
    await cache.close()
    await cache.close()
    expect(settled).toHaveBeenCalledWith(
      expect.objectContaining({ status: 'failed', errorCode: 'worker_lost' }),
    )
    await expect(tool({})).rejects.toThrow(StoreUnavailable)
  })

  it('lets go of what may be repeated, so that another process has it at the next sweep', async () => {
    const clock = new FakeClock()
    const inner = memoryStore()
    // Two caches, as in two processes: the one that closes leaves the store to the other.
    const shared = storeWith(inner, { capabilities: { durable: true, shared: true, watch: true } })
    const leaving = storeWith(shared, { close: async () => {} })
    const a = new RefCache({ name: 't', clock, store: leaving })
    const b = new RefCache({ name: 't', clock, store: shared, leaseDuration: '10m' })
    const handler = vi.fn(() => 'from b')
    b.cached({ name: 'work', idempotent: true }, handler)
    const { refId } = await a.cached(
      { name: 'work', idempotent: true, asyncTimeout: 0 },
      () => new Promise(() => {}),
    )({})
    await clock.advance(0)
    await a.close()
    await clock.advance('10s')
    expect(await b.get(refId)).toMatchObject({ status: 'complete', value: 'from b' })
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('the wall clock', () => {
  it.each(['forwards', 'back'])('set an hour %s costs no running task its lease', async way => {
    const clock = new FakeClock()
    const store = memoryStore()
    const a = new RefCache({ name: 't', clock, store, defaultTtl: null })
    const b = new RefCache({ name: 't', clock, store, defaultTtl: null })
    const again = vi.fn()
    b.cached({ name: 'work', idempotent: true }, again)
    const work = deferred<string>()
    const tool = a.cached(
      { name: 'work', idempotent: true, asyncTimeout: 0, hardTimeout: null },
      () => work.promise,
    )
    const { refId } = await tool({})
    await clock.advance('1m')
    clock.jump(way === 'back' ? -3_600_000 : 3_600_000)
    await clock.advance('5m')
    work.resolve('once')
    await clock.advance(0)
    expect(await b.get(refId)).toMatchObject({ status: 'complete', value: 'once' })
    expect(again).not.toHaveBeenCalled()
  })
})

describe('a store that is away for a while', () => {
  it('does not cost a finished task its result', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    const update = store.update.bind(store)
    const cache = new RefCache({ name: 't', clock, store })
    const work = deferred<string>()
    const { refId } = await cache.cached({ name: 'work', asyncTimeout: 0 }, () => work.promise)({})
    await clock.advance(0)
    store.update = () => Promise.reject(new StoreUnavailable('away'))
    work.resolve('kept')
    await clock.advance('20s')
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    store.update = update
    await clock.advance('10s')
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'kept' })
  })

  it('that was away for longer than the ttl does not get a result that has expired', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    const update = store.update.bind(store)
    const cache = new RefCache({ name: 't', clock, store })
    const work = deferred<string>()
    const { refId } = await cache.cached(
      { name: 'work', asyncTimeout: 0, ttl: '10s' },
      () => work.promise,
    )({})
    await clock.advance(0)
    store.update = () => Promise.reject(new StoreUnavailable('away'))
    work.resolve('kept')
    await clock.advance('30s')
    store.update = update
    await clock.advance('5s')
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'kept' })
  })

  it('does not run a task twice, nor lose its end, when only the answer of the store got lost', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    const update = store.update.bind(store)
    const cache = new RefCache({ name: 't', clock, store })
    const settled = vi.fn()
    cache.on('task:settled', settled)
    let runs = 0
    const tool = cache.cached({ name: 'work', asyncTimeout: 0, maxRetries: 1, retryDelay: '1s' }, () => {
      if (++runs === 1) throw new Error('first')
      return 'second'
    })
    store.update = async (...args) => {
      await update(...args)
      if (args[0].status === 'processing') return true
      throw new StoreUnavailable('answer lost')
    }
    const { refId } = await tool({})
    await clock.advance('250ms')
    store.update = update
    await clock.advance('5s')
    expect(runs).toBe(2)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'second' })
    expect(settled).toHaveBeenCalledTimes(1)
  })

  it('fails a waiting caller fast', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    const cache = new RefCache({ name: 't', clock, store })
    store.update = () => Promise.reject(new StoreUnavailable('away'))
    await expect(cache.cached({ name: 'work' }, () => 1)({})).rejects.toThrow(StoreUnavailable)
  })
})

describe('a thousand tasks at once with progress', () => {
  it('all settle, polls stay right, and nothing is left behind', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1_000 })
    const tool = cache.cached(
      { name: 'many', asyncTimeout: 0 },
      async ({ n }: { n: number }, task: TaskContext) => {
        for (let step = 1; step <= 10; step++) {
          task.progress(step, 10)
          await new Promise<void>(done => clock.schedule(100 + (n % 7), done))
        }
        return n
      },
    )
    const handles = await Promise.all(Array.from({ length: 1_000 }, (_, n) => tool({ n })))
    await clock.advance(500)
    for (const { refId } of handles.slice(0, 50)) {
      expect(await cache.get(refId)).toMatchObject({ status: 'processing', progress: { total: 10 } })
    }
    await clock.advance(1_000)
    for (const [n, { refId }] of handles.entries()) {
      expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: n })
    }
    // The next sweep, and the next heartbeat.
    expect(clock.pending).toBe(2)
  }, 120_000)
})

describe('limits at the edges', () => {
  it('gives a poll that waited to the end the value of a result that nobody keeps', async () => {
    const { cache, clock } = scene()
    const work = deferred<string>()
    const { refId } = await cache.cached({ name: 'brief', asyncTimeout: 0, ttl: 0 }, () => work.promise)({})
    const polled = cache.get(refId, { wait: '1m' })
    const resolved = cache.resolve(refId, { wait: '1m' })
    await clock.advance('1s')
    work.resolve('done')
    await clock.advance(0)
    expect(await polled).toMatchObject({ status: 'complete', value: 'done' })
    expect(await resolved).toBe('done')
    await expect(cache.get(refId)).rejects.toMatchObject({ code: 'not_found' })
  })

  it.each(['30d', 31 * 86_400_000] as const)('lets work run for %s', async hardTimeout => {
    const { cache, clock } = scene({ leaseDuration: '50d', sweepInterval: '50d' })
    const { refId } = await cache.cached(
      { name: 'long', asyncTimeout: 0, hardTimeout },
      () => new Promise<string>(done => clock.schedule(29 * 86_400_000, () => done('at last'))),
    )({})
    await clock.advance('29d')
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'at last' })
  })

  it.each([
    ['hardTimeout', 0],
    ['hardTimeout', Number.NaN],
    ['ttl', 8.65e15],
    ['ttl', -1],
    ['asyncTimeout', Number.POSITIVE_INFINITY],
    ['retryDelay', 'soon'],
  ])('refuses %s: %s at once, by name', (name, given) => {
    const { cache } = scene()
    expect(() => cache.cached({ name: 'tool', [name]: given }, () => 1)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(name) }),
    )
  })

  it('shows operators an entry whose stored expiry no Date can hold', async () => {
    const store = memoryStore()
    const { cache } = scene({ store })
    const { refId } = await cache.set('far', 1, { ttl: null })
    const entry = await store.get(refId)
    if (!entry) throw new Error('The entry is gone.')
    await store.update(
      { ...entry, expiresAt: 1e20, version: entry.version + 1 } as typeof entry,
      entry.version,
    )
    const { entries } = await cache.list()
    expect(entries[0]?.expiresAt?.toISOString()).toBe('+275760-09-13T00:00:00.000Z')
  })
})
