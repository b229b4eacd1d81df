import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../src/core/entry.ts'
import type { Dispatcher } from '../../../src/execution/dispatcher.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { storeWith } from './scene.ts'

/**
 * Processes on one store, one after another. One dies as soon as `deadly` runs: its clock stands still, and its handlers
 * never end.
 */
function world(options: { idempotent?: boolean; killAfter?: number } = {}) {
  const { idempotent = true, killAfter = 0 } = options
  const store = memoryStore()
  let clock = new FakeClock()
  let dead = false
  const deaths = { count: 0 }
  const atOnce: number[] = []

  function begin() {
    clock = new FakeClock(clock.now())
    dead = false
    const mine = clock
    const sleep = (ms: number) => new Promise<void>(done => mine.schedule(ms, done))
    let alive = true
    const own = storeWith(store, {
      watch: (refId, onChange) => store.watch(refId, version => alive && onChange(version)),
    })
    const cache = new RefCache({ name: 't', clock, store: own })
    const deadly = cache.cached({ name: 'deadly', asyncTimeout: 0, idempotent }, async (_: { n: number }) => {
      await sleep(killAfter)
      dead = true
      alive = false
      await new Promise(() => {})
    })
    let running = 0
    const slow = cache.cached(
      { name: 'slow', asyncTimeout: 0, idempotent: true },
      async ({ n }: { n: number }) => {
        atOnce[deaths.count] = Math.max(atOnce[deaths.count] ?? 0, ++running)
        await sleep(5_000)
        running--
        return n
      },
    )
    return { cache, deadly, slow, clock: mine }
  }

  /** Time goes by; where the process dies, the next one begins. Gives the process that is alive at the end. */
  async function live(process: ReturnType<typeof begin>, seconds: number) {
    let now = process
    for (let second = 0; second < seconds; second++) {
      await now.clock.advance('1s')
      if (!dead) continue
      deaths.count++
      now = begin()
    }
    return now
  }
  return { begin, live, deaths, atOnce }
}

describe('a task that ends its process', () => {
  it('is given up alone, and costs none of those that ran beside it anything', async () => {
    const { begin, live, atOnce } = world()
    const first = begin()
    const neighbours = await Promise.all([1, 2, 3].map(n => first.slow({ n })))
    await first.clock.advance(0)
    const killer = await first.deadly({ n: 0 })
    const { cache } = await live(first, 900)
    expect(await cache.get(killer.refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
    for (const [index, { refId }] of neighbours.entries()) {
      expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: index + 1 })
    }
    // Together, together again, and then one at a time.
    expect(atOnce.slice(0, 2)).toEqual([3, 3])
    expect(Math.max(0, ...atOnce.slice(2).filter(Boolean))).toBe(1)
  })

  it('does so too when it takes a while to do harm, or when there are several', async () => {
    const { begin, live } = world({ killAfter: 2_000 })
    const first = begin()
    const killers = await Promise.all([first.deadly({ n: 0 }), first.deadly({ n: 1 })])
    const neighbours = await Promise.all([1, 2].map(n => first.slow({ n })))
    const { cache } = await live(first, 1_800)
    for (const { refId } of killers) {
      expect(await cache.get(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
    }
    for (const { refId } of neighbours) expect(await cache.get(refId)).toMatchObject({ status: 'complete' })
  })

  it('is given up after three losses where nothing ran beside it', async () => {
    const { begin, live, deaths } = world()
    const first = begin()
    const killer = await first.deadly({ n: 0 })
    const { cache } = await live(first, 600)
    expect(await cache.get(killer.refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
    expect(deaths.count).toBeLessThanOrEqual(4)
  })

  it('is not given up for what its neighbour does that may not be repeated', async () => {
    const { begin, live } = world({ idempotent: false })
    let process = begin()
    const { refId } = await process.slow({ n: 1 })
    for (let n = 0; n < 6; n++) {
      await process.clock.advance('1s')
      await process.deadly({ n })
      process = await live(process, 41)
      const status = (await process.cache.get(refId)).status
      if (status === 'complete') break
      expect(['pending', 'processing']).toContain(status)
    }
    process = await live(process, 120)
    expect(await process.cache.get(refId)).toMatchObject({ status: 'complete', value: 1 })
  })

  it('is given up in the end though others always run beside it', async () => {
    const { begin, live, deaths } = world()
    let process = begin()
    const killer = await process.deadly({ n: 0 })
    let id = 0
    for (let round = 0; round < 200; round++) {
      await process.slow({ n: id++ })
      process = await live(process, 4)
    }
    process = await live(process, 900)
    expect(await process.cache.get(killer.refId)).toMatchObject({ status: 'failed' })
    expect(deaths.count).toBeLessThanOrEqual(13)
  })
})

it('of what was lost together twice the youngest runs first, since another may wait for it; new calls run beside', async () => {
  const clock = new FakeClock()
  const store = memoryStore()
  const deadDispatcher: Dispatcher = { shared: true, dispatch: () => 'elsewhere' }
  const deadClock = new FakeClock()
  const dead = new RefCache({ name: 't', clock: deadClock, store, dispatcher: deadDispatcher })
  const claim = dead.cached({ name: 'slow', asyncTimeout: 0 }, (_: { n: number }) => 0)
  for (let n = 1; n <= 3; n++) {
    const { refId } = await claim({ n })
    const entry = (await store.get(refId)) as Entry
    await store.update({ ...entry, losses: { alone: 0, together: 2 }, version: 2 }, 1)
    await deadClock.advance(10)
  }
  const order: number[] = []
  const survivor = new RefCache({ name: 't', clock, store })
  const slow = survivor.cached({ name: 'slow', asyncTimeout: 0 }, async ({ n }: { n: number }) => {
    order.push(n)
    await new Promise<void>(done => clock.schedule(10_000, done))
  })
  await clock.advance('36s')
  expect(order).toEqual([3])
  await slow({ n: 4 })
  await clock.advance('1s')
  expect(order).toEqual([3, 4])
  await clock.advance('30s')
  expect(order).toEqual([3, 4, 2, 1])
})
