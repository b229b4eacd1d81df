import { describe, expect, it } from 'vitest'
import type { TaskContext } from '../../../src/core/handler.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, scene } from './scene.ts'

/** A tool whose handler ignores its signal, and how many of them run. */
function deafTool(options: RefCacheOptions, toolOptions: object = {}) {
  const { cache, clock } = scene({ maxConcurrentTasks: 1, ...options })
  const gates: Array<() => void> = []
  const running = { now: 0, most: 0 }
  const tool = cache.cached({ name: 'deaf', asyncTimeout: 0, ...toolOptions }, async (_: { n: number }) => {
    running.most = Math.max(running.most, ++running.now)
    const gate = deferred<void>()
    gates.push(() => gate.resolve())
    await gate.promise
    running.now--
    return gates.length
  })
  return { cache, clock, tool, running, gates }
}

describe('a handler that ignores its signal', () => {
  it('keeps its place until it has ended, though its task is cancelled at once', async () => {
    const { cache, clock, tool, running, gates } = deafTool({})
    const first = await tool({ n: 1 })
    const second = await tool({ n: 2 })
    await clock.advance(0)
    expect(await cache.cancelTask(first.refId)).toMatchObject({ status: 'cancelled' })
    await clock.advance('10s')
    expect(await cache.get(second.refId)).toMatchObject({ status: 'pending' })
    gates[0]?.()
    await clock.advance(0)
    expect(await cache.get(second.refId)).toMatchObject({ status: 'processing' })
    expect(running.most).toBe(1)
    expect(await cache.stats()).toMatchObject({ abandonedRuns: 0 })
  })

  it.each([
    ['30s', {}],
    ['5m', { abortGrace: '5m' as const }],
  ] as const)(
    'gives it up after its grace of %s, and is counted as long as it goes on',
    async (grace, options) => {
      const { cache, clock, tool, gates } = deafTool(options, { hardTimeout: '1s' })
      const first = await tool({ n: 1 })
      const second = await tool({ n: 2 })
      await clock.advance('1s')
      expect(await cache.get(first.refId)).toMatchObject({ status: 'failed', errorCode: 'hard_timeout' })
      await clock.advance('29s')
      expect(await cache.get(second.refId)).toMatchObject({ status: 'pending' })
      await clock.advance(grace)
      expect(await cache.get(second.refId)).not.toMatchObject({ status: 'pending' })
      const { abandonedRuns } = await cache.stats()
      expect(abandonedRuns).toBeGreaterThan(0)
      for (const open of gates) open()
      await clock.advance(0)
      expect(await cache.stats()).toMatchObject({ abandonedRuns: 0 })
    },
  )

  it.each(['by itself', 'by hand'])('is waited for by a retry %s', async how => {
    const { cache, clock, tool, running, gates } = deafTool(
      { maxConcurrentTasks: 8 },
      { hardTimeout: '1s', maxRetries: how === 'by itself' ? 1 : 0 },
    )
    const { refId } = await tool({ n: 1 })
    await clock.advance('1s')
    if (how === 'by hand') await cache.retryTask(refId)
    await clock.advance('20s')
    expect(await cache.get(refId)).toMatchObject({ status: 'pending' })
    gates[0]?.()
    await clock.advance(0)
    expect(running).toEqual({ now: 1, most: 1 })
  })

  it('is waited for no longer than its grace', async () => {
    const { cache, clock, tool, running } = deafTool({ maxConcurrentTasks: 8 })
    const { refId } = await tool({ n: 1 })
    await clock.advance(0)
    await cache.cancelTask(refId)
    await cache.retryTask(refId)
    await clock.advance('29s')
    expect(running.now).toBe(1)
    await clock.advance('1s')
    expect(running.now).toBe(2)
  })

  it('is waited for by a retry that comes before this process knows of the cancel', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    store.watch = () => () => {}
    const cache = new RefCache({ name: 't', clock, store })
    const other = new RefCache({ name: 't', clock, store })
    const gate = deferred<void>()
    let running = 0
    let most = 0
    const tool = cache.cached({ name: 'deaf', asyncTimeout: 0 }, async (_: object, task: TaskContext) => {
      most = Math.max(most, ++running)
      if (task.attempt === 1) await gate.promise
      running--
    })
    const { refId } = await tool({})
    await clock.advance(0)
    await other.cancelTask(refId, { actor: 'agent' })
    await cache.retryTask(refId)
    await clock.advance('15s')
    gate.resolve()
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete' })
    expect(most).toBe(1)
  })

  it('holds up nobody else, and does not keep the cache from closing', async () => {
    const { cache, clock, tool } = deafTool({ maxConcurrentTasks: 2 }, { hardTimeout: '1s' })
    await tool({ n: 1 })
    await clock.advance('1s')
    const answer = cache.cached({ name: 'other' }, () => 'ran')({})
    await clock.advance(0)
    expect(await answer).toMatchObject({ value: 'ran' })
    await cache.close()
  })

  it('holds up no run of a task that waits for its turn in its predecessor’s place', async () => {
    const { cache, clock, tool, running, gates } = deafTool({}, { hardTimeout: '1s', maxRetries: 1 })
    const first = await tool({ n: 1 })
    const second = await tool({ n: 2 })
    await clock.advance('2s')
    gates[0]?.()
    await clock.advance(0)
    expect(running.most).toBe(1)
    const statuses = await Promise.all(
      [first, second].map(async ({ refId }) => (await cache.get(refId)).status),
    )
    expect(statuses.sort()).toEqual(['pending', 'processing'])
  })
})
