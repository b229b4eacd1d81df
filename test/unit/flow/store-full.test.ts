import { describe, expect, it, vi } from 'vitest'
import { toWireError } from '../../../src/agent/wire.ts'
import type { Entry } from '../../../src/core/entry.ts'
import { StoreFull, StoreUnavailable } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { PayloadChanges } from '../../../src/stores/store.ts'
import { deferred, scene } from './scene.ts'

const logger = { warn() {}, error() {} }

/** A store that has no room for what `refuses` says. */
function fullStore(refuses: (entry: Entry, parts: PayloadChanges) => boolean) {
  const store = memoryStore()
  const room = { made: false }
  const update = store.update.bind(store)
  store.update = async (entry, version, parts = {}) => {
    if (!room.made && refuses(entry, parts)) throw new StoreFull('The file /home/alice/cache.db is full.')
    return update(entry, version, parts)
  }
  return { store, room }
}

async function finished(
  refuses: Parameters<typeof fullStore>[0],
  options: object = {},
  cacheOptions: object = {},
) {
  const { store, room } = fullStore(refuses)
  const { cache, clock } = scene({ store, logger, ...cacheOptions })
  const work = deferred<unknown>()
  const handler = vi.fn(() => work.promise)
  const { refId } = await cache.cached(
    { name: 'work', asyncTimeout: 0, idempotent: true, ...options },
    handler,
  )({})
  await clock.advance(0)
  work.resolve('result')
  await clock.advance(0)
  return { store, room, cache, clock, refId, handler }
}

const results = (_: Entry, parts: PayloadChanges) => parts.value !== undefined
const settlements = ({ status }: Entry) => status !== 'pending' && status !== 'processing'

describe('a result that a full store does not take', () => {
  it.each([
    ['five minutes of tries', 300, {}, {}],
    ['as long as the cache says', 60, {}, { storeFullTimeout: '1m' }],
    ['its hard timeout', 90, { hardTimeout: '90s' }, {}],
  ])('fails the task after %s, with what to do', async (_, seconds, options, cacheOptions) => {
    const { store, cache, clock, refId, handler } = await finished(results, options, cacheOptions)
    await clock.advance((seconds - 6) * 1_000)
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    await clock.advance('12s')
    const answer = await cache.get(refId)
    expect(answer).toMatchObject({ status: 'failed', errorCode: 'store_full', canRetry: false })
    expect(JSON.stringify(answer)).toMatch(/full.*make room.*call the tool again/)
    expect(JSON.stringify(answer)).not.toContain('alice')
    // It made room for the record, so the task cannot be begun again.
    expect(await store.read(refId, 'input')).toBeUndefined()
    await expect(cache.retryTask(refId)).rejects.toThrow(/Call the tool again/)
    await clock.advance('10m')
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('is kept when room is made in time', async () => {
    const { room, cache, clock, refId } = await finished(results)
    await clock.advance('4m')
    room.made = true
    await clock.advance('10s')
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'result' })
  })

  it('is told to whoever asks in this process where not even the failure can be stored, and stored when it can', async () => {
    const { room, cache, clock, refId } = await finished(settlements)
    const waiting = cache.get(refId, { wait: '10m' }).catch(error => error)
    const resolving = cache
      .cached(
        { name: 'work', replace: true, idempotent: true },
        () => 0,
      )({})
      .catch(error => error)
    await clock.advance('310s')
    expect(await waiting).toMatchObject({ code: 'store_full', message: expect.stringMatching(/make room/) })
    expect(await resolving).toMatchObject({ code: 'store_full' })
    await expect(cache.get(refId)).rejects.toMatchObject({ code: 'store_full' })
    room.made = true
    await clock.advance('10s')
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', errorCode: 'store_full' })
  })

  it('ends a retry that cannot be put off with the handler’s own error', async () => {
    const { store } = fullStore(entry => entry.status === 'pending' && entry.retryAt !== undefined)
    const { cache, clock } = scene({ store, logger })
    const bad = cache.cached({ name: 'bad', asyncTimeout: 0, maxRetries: 3 }, () =>
      Promise.reject(new Error('its own')),
    )
    const { refId } = await bad({})
    await clock.advance('310s')
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', error: 'its own', canRetry: true })
  })

  it('is not what happens while the store is away: then it is waited for, for as long as it takes', async () => {
    const store = memoryStore()
    const update = store.update.bind(store)
    const { cache, clock } = scene({ store, logger })
    const work = deferred<string>()
    const tool = cache.cached({ name: 'work', asyncTimeout: 0, hardTimeout: '10m' }, () => work.promise)
    const { refId } = await tool({})
    await clock.advance(0)
    store.update = () => Promise.reject(new StoreUnavailable('away'))
    work.resolve('kept')
    await clock.advance('1h')
    store.update = update
    await clock.advance('10s')
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'kept' })
  })

  it('does not keep the cache from closing', async () => {
    const { cache } = await finished(settlements)
    await cache.close()
  })
})

it('a call that a full store has no room for says so, without a word of files', async () => {
  const store = memoryStore()
  store.claim = () => Promise.reject(new StoreFull('The file /home/alice/cache.db is full.'))
  const { cache } = scene({ store, logger })
  const error = await cache
    .cached(
      { name: 'work' },
      () => 1,
    )({})
    .catch(thrown => thrown)
  expect(error).toBeInstanceOf(StoreUnavailable)
  expect(error).toMatchObject({ name: 'StoreFull', code: 'store_full' })
  const wire = toWireError(error)
  expect(wire).toMatchObject({ code: 'store_full', message: expect.stringMatching(/make room/) })
  expect(wire.message).not.toContain('alice')
})
