import { describe, expect, it, vi } from 'vitest'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import type { Dispatcher } from '../../../src/execution/dispatcher.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { scene, storeWith } from './scene.ts'

const forever = () => new Promise<never>(() => {})

/** A cache with a lease of 30 s and a tool whose handler never ends, on a store that is watched. */
function beating(own: Partial<Store> = {}, options: object = {}) {
  const inner = memoryStore()
  const beat = vi.spyOn(inner, 'beat')
  const store = storeWith(inner, own)
  const made = scene({ store, leaseDuration: '30s', sweepInterval: '10s', ...options })
  const handler = vi.fn((_: { n: number }) => forever())
  const tool = made.cache.cached({ name: 'work', asyncTimeout: 0, hardTimeout: null }, handler)
  return { ...made, store: inner, beat, handler, tool }
}

describe('the heartbeat of a process', () => {
  it('is one for all of its tasks, three times a lease, and changes no entry', async () => {
    const { clock, store, beat, tool } = beating()
    const handles = await Promise.all(Array.from({ length: 20 }, (_, n) => tool({ n })))
    await clock.advance('9s')
    expect(beat).not.toHaveBeenCalled()
    const versions = async () =>
      (await Promise.all(handles.map(({ refId }) => store.get(refId)))).map(entry => entry?.version)
    const before = await versions()
    for (let third = 1; third <= 6; third++) {
      await clock.advance('10s')
      expect(beat).toHaveBeenCalledTimes(third)
    }
    expect(await versions()).toEqual(before)
  })

  it('stops where there is nothing to run', async () => {
    const { cache, clock, beat } = beating()
    await cache.cached({ name: 'quick' }, () => 'done')({})
    await clock.advance('1h')
    expect(beat).toHaveBeenCalledTimes(1)
  })

  it('goes on for tasks that are each shorter than its interval', async () => {
    const { cache, clock, beat } = beating()
    const quick = cache.cached({ name: 'quick' }, ({ n }: { n: number }) => n)
    for (let n = 0; n < 30; n++) {
      await quick({ n })
      await clock.advance('2s')
    }
    expect(beat.mock.calls.length).toBeGreaterThanOrEqual(5)
  })

  it('outlasts a store that is away for a while: the work goes on', async () => {
    const { cache, clock, beat, tool, handler } = beating()
    const { refId } = await tool({ n: 1 })
    beat.mockRejectedValue(new StoreUnavailable('away'))
    await clock.advance('25s')
    beat.mockRestore()
    await clock.advance('10m')
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('notices tasks that were taken away, where nobody told of it', async () => {
    const { clock, store, cache } = beating({ watch: () => () => {} })
    let signal: AbortSignal | undefined
    const tool = cache.cached({ name: 'long', asyncTimeout: 0, hardTimeout: null }, (_, task) => {
      signal = task.signal
      return forever()
    })
    const { refId } = await tool({})
    await clock.advance('9s')
    await store.delete(refId)
    expect(signal?.aborted).toBe(false)
    await clock.advance('1s')
    expect(signal?.aborted).toBe(true)
  })
})

describe('a task that its process has and does not know of', () => {
  /** The claim is stored, and the answer is lost on its way. */
  function losingAnswers(times: number) {
    let left = times
    const made = beating({
      claim: async (...args) => {
        const claim = await made.store.claim(...args)
        if (left-- > 0) throw new StoreUnavailable('The answer was lost.')
        return claim
      },
    })
    return made
  }

  it('begins when a lease is over, once', async () => {
    const { clock, store, tool, handler } = losingAnswers(1)
    await expect(tool({ n: 1 })).rejects.toThrow(StoreUnavailable)
    await clock.advance('25s')
    expect(handler).not.toHaveBeenCalled()
    await clock.advance('30s')
    expect(handler).toHaveBeenCalledTimes(1)
    expect(handler).toHaveBeenCalledWith({ n: 1 }, expect.anything())
    await clock.advance('10m')
    expect(handler).toHaveBeenCalledTimes(1)
    expect(await store.list({ cacheName: 't' })).toMatchObject([{ status: 'processing' }])
  })
})

describe('work that was announced to other processes', () => {
  it('is announced again when nobody has taken it for a lease, without a write', async () => {
    const dispatch = vi.fn<Dispatcher['dispatch']>(() => 'elsewhere')
    const { clock, cache, store, tool } = beating({}, { dispatcher: { shared: true, dispatch } })
    const recovered = vi.fn()
    cache.on('task:recovered', recovered)
    const update = vi.spyOn(store, 'update')
    const { refId } = await tool({ n: 1 })
    expect(dispatch).toHaveBeenCalledTimes(1)
    await clock.advance('20s')
    expect(dispatch).toHaveBeenCalledTimes(1)
    await clock.advance('5m')
    expect(dispatch.mock.calls.length).toBeGreaterThan(4)
    expect(dispatch).toHaveBeenLastCalledWith({ refId, toolName: 'work' })
    expect(update).not.toHaveBeenCalled()
    expect(recovered).not.toHaveBeenCalled()
  })

  it('keeps its process alive for others, however rarely that sweeps', async () => {
    const dispatcher = { shared: true, dispatch: () => 'elsewhere' as const }
    const { clock, beat, tool } = beating({}, { dispatcher, sweepInterval: '1h' })
    await tool({ n: 1 })
    await clock.advance('5m')
    expect(beat.mock.calls.length).toBeGreaterThanOrEqual(29)
  })

  it('begins here where it is to run here by now', async () => {
    let taker: 'here' | 'elsewhere' = 'elsewhere'
    const { clock, handler, tool } = beating({}, { dispatcher: { shared: true, dispatch: () => taker } })
    await tool({ n: 1 })
    taker = 'here'
    await clock.advance('1m')
    expect(handler).toHaveBeenCalledTimes(1)
  })
})
