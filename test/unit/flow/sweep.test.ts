import { describe, expect, it, vi } from 'vitest'
import type { Entry } from '../../../src/core/entry.ts'
import { WorkerLost } from '../../../src/core/errors.ts'
import type { Dispatcher } from '../../../src/execution/dispatcher.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { scene } from './scene.ts'

/** Another process that died: work that nobody takes, and a clock that stands still. */
const deadDispatcher: Dispatcher = { shared: true, dispatch: () => 'elsewhere' }

async function lostTask({
  survivorKnowsTool,
  dispatcher,
  ...options
}: {
  idempotent?: boolean
  survivorKnowsTool: boolean
  dispatcher?: Dispatcher
}) {
  const clock = new FakeClock()
  const store = memoryStore()
  const dead = new RefCache({ name: 't', clock: new FakeClock(), store, dispatcher: deadDispatcher })
  const tool = dead.cached({ name: 'work', asyncTimeout: 0, ...options }, (_: { n: number }) => 'dead')
  const { refId } = await tool({ n: 1 })
  const survivor = new RefCache({ name: 't', clock, store, dispatcher })
  const handler = vi.fn(({ n }: { n: number }) => `again ${n}`)
  if (survivorKnowsTool) survivor.cached({ name: 'work', ...options }, handler)
  return { clock, store, refId, survivor, handler }
}

describe('the sweep', () => {
  it('drops expired entries from the store', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store, sweepInterval: '10s' })
    const { refId } = await cache.set('v', 1, { ttl: '5s' })
    await clock.advance(4_000)
    expect(await store.get(refId)).toBeDefined()
    await clock.advance(7_000)
    expect(await store.get(refId)).toBeUndefined()
  })

  it('runs a task that was claimed and never started, whoever has the tool', async () => {
    const { clock, refId, survivor, handler } = await lostTask({ survivorKnowsTool: true })
    await clock.advance(45_000)
    expect(handler).toHaveBeenCalledTimes(1)
    expect(await survivor.get(refId)).toMatchObject({ status: 'complete', value: 'again 1' })
  })

  it('leaves a task that waits in a queue of many processes to those who have its tool', async () => {
    const { clock, refId, survivor } = await lostTask({
      survivorKnowsTool: false,
      dispatcher: deadDispatcher,
    })
    await clock.advance('10m')
    expect(await survivor.get(refId)).toMatchObject({ status: 'pending' })
  })

  it('fails a task that was running and may not be repeated', async () => {
    const { clock, store, refId, survivor, handler } = await lostTask({ survivorKnowsTool: true })
    await startElsewhere(store, refId, clock)
    await clock.advance(45_000)
    expect(handler).not.toHaveBeenCalled()
    expect(await survivor.get(refId)).toMatchObject({
      status: 'failed',
      errorCode: 'worker_lost',
      canRetry: true,
    })
  })

  it('runs a lost task again under the same reference when it is idempotent', async () => {
    const { clock, store, refId, survivor, handler } = await lostTask({
      idempotent: true,
      survivorKnowsTool: true,
    })
    await startElsewhere(store, refId, clock)
    await clock.advance(45_000)
    expect(handler).toHaveBeenCalledTimes(1)
    expect(await survivor.get(refId)).toMatchObject({ status: 'complete', refId, value: 'again 1' })
  })

  it('gives up a task that fails for want of its worker, instead of taking it again and again', async () => {
    const { cache, clock } = scene()
    const handler = vi.fn(() => Promise.reject(new WorkerLost('The server behind it died.')))
    const { refId } = await cache.cached({ name: 'work', asyncTimeout: 0, idempotent: true }, handler)({})
    await clock.advance('10m')
    expect(handler).toHaveBeenCalledTimes(1)
    expect(await cache.get(refId)).toMatchObject({
      status: 'failed',
      errorCode: 'worker_lost',
      canRetry: true,
    })
  })

  it('leaves what another process let go to those that have the tool, for a while', async () => {
    const { clock, store, refId, survivor } = await lostTask({ idempotent: true, survivorKnowsTool: false })
    const entry = (await store.get(refId)) as Extract<Entry, { status: 'pending' }>
    const released = { ...entry, lease: { ...entry.lease, duration: 0 }, version: 2 }
    expect(await store.update(released, 1)).toBe(true)
    await clock.advance('50s')
    expect(await survivor.get(refId)).toMatchObject({ status: 'pending' })
    await clock.advance('30s')
    expect(await survivor.get(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
  })

  it('leaves a task whose caller has to come back first, for as long as a failed one would be kept', async () => {
    const { clock, refId, survivor, handler } = await lostTask({ survivorKnowsTool: true })
    const { awaitedCallers } = survivor[ADAPTERS]
    let isBack = false
    awaitedCallers.ask(() => !isBack)
    await clock.advance('20m')
    expect(await survivor.get(refId)).toMatchObject({ status: 'pending' })
    isBack = true
    awaitedCallers.returned()
    await clock.advance('20s')
    expect(await survivor.get(refId)).toMatchObject({ status: 'complete' })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('takes tasks over even where the queue is full', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    const dead = new RefCache({ name: 't', clock: new FakeClock(), store, dispatcher: deadDispatcher })
    const claim = dead.cached({ name: 'work', asyncTimeout: 0 }, (_: { n: number }) => 'dead')
    const handles = await Promise.all([1, 2, 3, 4, 5, 6].map(n => claim({ n })))
    const survivor = new RefCache({ name: 't', clock, store, maxConcurrentTasks: 1, maxQueuedTasks: 2 })
    survivor.cached({ name: 'work' }, ({ n }: { n: number }) => n)
    await clock.advance('50s')
    const answers = await Promise.all(handles.map(({ refId }) => survivor.get(refId)))
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill('complete'))
  })

  it('leaves a task alone whose process lives', async () => {
    const { cache, clock } = scene()
    const handler = vi.fn(() => new Promise(() => {}))
    const { refId } = await cache.cached({ name: 'long', asyncTimeout: 0, hardTimeout: null }, handler)({})
    await clock.advance(600_000)
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('a machine that was suspended', () => {
  /** Wakes up later than it fell asleep, by a clock that went on meanwhile; no timer fell due in between. */
  class SuspendedClock extends FakeClock {
    #asleep = 0

    suspend(ms: number): void {
      this.#asleep += ms
    }

    override monotonic(): number {
      return super.monotonic() + this.#asleep
    }
  }

  async function watchingCache() {
    const clock = new SuspendedClock()
    const store = memoryStore()
    const other = new RefCache({ name: 't', clock: new FakeClock(), store, dispatcher: deadDispatcher })
    const { refId } = await other.cached({ name: 'work', asyncTimeout: 0 }, () => 'other')({})
    await startElsewhere(store, refId, clock)
    const cache = new RefCache({ name: 't', clock, store, leaseDuration: '30s', sweepInterval: '10s' })
    await clock.advance('10s')
    return { clock, store, cache, refId }
  }

  it('counts no time against a task in which it did not look itself', async () => {
    const { clock, cache, refId } = await watchingCache()
    clock.suspend(600_000)
    // The task has been silent for ten minutes, which it slept through, and for twenty seconds.
    await clock.advance('10s')
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    await clock.advance('20s')
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
  })

  it('counts none either where it fell asleep in the middle of a sweep', async () => {
    const { clock, store, cache, refId } = await watchingCache()
    const owners = store.owners.bind(store)
    vi.spyOn(store, 'owners').mockImplementationOnce(async cacheName => {
      clock.suspend(600_000)
      return owners(cacheName)
    })
    await clock.advance('10s')
    expect(store.owners).toHaveBeenCalled()
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    await clock.advance('20s')
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
  })
})

async function startElsewhere(store: ReturnType<typeof memoryStore>, refId: string, clock: FakeClock) {
  const entry = (await store.get(refId)) as Extract<Entry, { status: 'pending' }>
  const started = { ...entry, status: 'processing' as const, startedAt: clock.now(), attempt: 1, version: 2 }
  expect(await store.update(started, 1)).toBe(true)
}
