import { describe, expect, it } from 'vitest'
import type { ProgressReport } from '../../../src/core/handler.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { scene } from './scene.ts'

const odd = new Proxy(
  {},
  {
    get() {
      throw new Error('do not look')
    },
  },
)

describe('what goes wrong around a handler', () => {
  it.each([
    ['null', null],
    ['a report that cannot be read', odd],
    ['a text', 'half'],
    ['nothing', undefined],
  ])('progress of %s does not keep the task from its end', async (_, report) => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'x' }, (_input: object, task) => {
      task.progress(report as unknown as ProgressReport)
      return 'done'
    })
    const call = tool({}, { actor: 'user' })
    await clock.advance('1s')
    expect(await call).toMatchObject({ status: 'complete', value: 'done' })
    await cache.close()
  })

  it("the handler's own error wins over an odd report", async () => {
    const { cache } = scene()
    const tool = cache.cached({ name: 'x' }, (_input: object, task) => {
      task.progress(odd as ProgressReport)
      throw new Error('own')
    })
    await expect(tool({}, { actor: 'user' })).rejects.toThrow('own')
    await cache.close()
  })

  it('a store that fails in a way of its own ends the wait at once', async () => {
    const store = memoryStore()
    const update = store.update.bind(store)
    let broken = false
    store.update = (...given) => (broken ? Promise.reject(new TypeError('broken')) : update(...given))
    const { cache } = scene({ store, logger: { warn: () => {}, error: () => {} } })
    const tool = cache.cached({ name: 'x' }, () => {
      broken = true
      return 1
    })
    await expect(tool({}, { actor: 'user' })).rejects.toThrow('broken')
    await cache.close()
  })

  it('who cancels a task that is kept for no time hears that it is cancelled; who waits to resolve gets the value', async () => {
    const { cache, clock } = scene({ taskRetention: 0 })
    let finish = () => {}
    const tool = cache.cached({ name: 'x', asyncTimeout: 0, ttl: 0, memoize: false }, () => {
      return new Promise<string>(resolve => {
        finish = () => resolve('done')
      })
    })
    const cancelled = await tool({}, { actor: 'user' })
    expect((await cache.cancelTask(cancelled.refId, { actor: 'user' })).status).toBe('cancelled')
    const { refId } = await tool({}, { actor: 'user' })
    await clock.advance(0)
    const value = cache.resolve(refId, { actor: 'user', wait: '10s' })
    await clock.advance(0)
    finish()
    expect(await value).toBe('done')
    await cache.close()
  })
})
