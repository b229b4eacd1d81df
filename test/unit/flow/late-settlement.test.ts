import { describe, expect, it } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, storeWith } from './scene.ts'

/** A process whose event loop stands still while its handler works, and another one that sees it silent. */
async function blocked(options: object = {}) {
  const store = memoryStore()
  const own = storeWith(store, { watch: () => () => {} })
  const still = new FakeClock()
  const slow = new RefCache({ name: 't', clock: still, store: own })
  const work = deferred<unknown>()
  const tool = slow.cached({ name: 'work', asyncTimeout: 0, ...options }, () => work.promise)
  const { refId } = await tool({})
  await still.advance(0)
  const clock = new FakeClock()
  const other = new RefCache({ name: 't', clock, store })
  let runs = 0
  other.cached({ name: 'work', ...options }, () => `run ${++runs} elsewhere`)
  await clock.advance('50s')
  return { refId, work, still, slow, other, clock }
}

describe('work that ends in a process that was taken for lost', () => {
  it('counts where nobody has taken the task over', async () => {
    const { refId, work, still, other } = await blocked()
    expect(await other.get(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
    work.resolve('finished')
    await still.advance(0)
    expect(await other.get(refId)).toMatchObject({ status: 'complete', value: 'finished' })
  })

  it('counts as its own failure, too, with a retry left or without one', async () => {
    for (const maxRetries of [0, 2]) {
      const { refId, work, still, other } = await blocked({ maxRetries })
      work.reject(new Error('its own'))
      await still.advance(0)
      const failed = { status: 'failed', errorCode: 'task_failed', error: 'its own', canRetry: true }
      expect(await other.get(refId)).toMatchObject(failed)
    }
  })

  it.each([
    ['was taken over', { idempotent: true }],
    ['was begun again by hand', {}],
    ['was deleted', {}],
  ])('does not where the task %s', async (how, options) => {
    const { refId, work, still, other, clock } = await blocked(options)
    if (how === 'was begun again by hand') await other.retryTask(refId)
    if (how === 'was deleted') await other.clear()
    await clock.advance(0)
    work.resolve('finished')
    await still.advance(0)
    if (how === 'was deleted') expect(await other.exists(refId)).toBe(false)
    else expect(await other.get(refId)).toMatchObject({ status: 'complete', value: 'run 1 elsewhere' })
  })

  it('is stopped when it notices, and says nothing then', async () => {
    const { refId, still, slow } = await blocked()
    await still.advance('10s')
    expect(await slow.get(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
  })
})
