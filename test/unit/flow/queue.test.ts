import { describe, expect, it } from 'vitest'
import { QueueFull } from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import { deferred, scene } from './scene.ts'

/** A tool whose runs end when the test says. */
function gated(
  cache: ReturnType<typeof scene>['cache'],
  name: string,
  order: string[],
  options: object = {},
) {
  const gates: Array<() => void> = []
  const tool = cache.cached(
    { name, asyncTimeout: 0, ...options },
    async (input: { n: number }, task: TaskContext) => {
      order.push(`${name}${input.n}`)
      const gate = deferred<void>()
      gates.push(() => gate.resolve())
      task.signal.addEventListener('abort', () => gate.resolve())
      await gate.promise
      return input.n
    },
  )
  return { tool, open: () => gates.shift()?.() }
}

describe('limits on concurrent tasks', () => {
  it('let so many run at once, and the rest wait as pending', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 2 })
    const order: string[] = []
    const { tool, open } = gated(cache, 'a', order)
    const handles = await Promise.all([1, 2, 3, 4].map(n => tool({ n })))
    await clock.advance(0)
    const statuses = async () => (await Promise.all(handles.map(h => cache.get(h.refId)))).map(a => a.status)
    expect(await statuses()).toEqual(['processing', 'processing', 'pending', 'pending'])
    open()
    await clock.advance(0)
    expect(await statuses()).toEqual(['complete', 'processing', 'processing', 'pending'])
  })

  it('are fair between tools: a crowd of one does not hold up another', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1 })
    const order: string[] = []
    const a = gated(cache, 'a', order)
    const b = gated(cache, 'b', order)
    for (let n = 1; n <= 5; n++) await a.tool({ n })
    await b.tool({ n: 1 })
    await b.tool({ n: 2 })
    for (let n = 0; n < 7; n++) {
      await clock.advance(0)
      a.open()
      b.open()
    }
    await clock.advance(0)
    expect(order).toEqual(['a1', 'a2', 'b1', 'a3', 'b2', 'a4', 'a5'])
  })

  it('hold per tool, too', async () => {
    const { cache, clock } = scene()
    const order: string[] = []
    const a = gated(cache, 'a', order, { maxConcurrentTasks: 1 })
    const b = gated(cache, 'b', order)
    await a.tool({ n: 1 })
    await a.tool({ n: 2 })
    await b.tool({ n: 1 })
    await b.tool({ n: 2 })
    await clock.advance(0)
    expect(order.sort()).toEqual(['a1', 'b1', 'b2'])
  })

  it('refuse with a coded error when the queue is full, and the next try is a new one', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1, maxQueuedTasks: 1 })
    const { tool, open } = gated(cache, 'a', [])
    await tool({ n: 1 })
    await tool({ n: 2 })
    await expect(tool({ n: 3 })).rejects.toThrow(QueueFull)
    open()
    await clock.advance(0)
    expect(await tool({ n: 3 })).toMatchObject({ status: 'pending' })
  })

  it('give the place of a cancelled task to the next', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1, maxQueuedTasks: 5 })
    const order: string[] = []
    const { tool } = gated(cache, 'a', order)
    const first = await tool({ n: 1 })
    const second = await tool({ n: 2 })
    await tool({ n: 3 })
    await clock.advance(0)
    await cache.cancelTask(second.refId)
    await cache.cancelTask(first.refId)
    await clock.advance(0)
    expect(order).toEqual(['a1', 'a3'])
  })

  it('a task that is cancelled while it waits answers its caller with that status', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1 })
    const { tool } = gated(cache, 'a', [])
    await tool({ n: 1 })
    const waiting = tool({ n: 2 }, { asyncTimeout: '1h' })
    await clock.advance(0)
    const { refId } = await tool({ n: 2 })
    await cache.cancelTask(refId)
    await clock.advance(0)
    expect(await waiting).toMatchObject({ status: 'cancelled' })
  })

  it('a waiting task stays alive however long it waits', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1, leaseDuration: '30s' })
    const order: string[] = []
    const { tool, open } = gated(cache, 'a', order, { hardTimeout: null })
    await tool({ n: 1 })
    const { refId } = await tool({ n: 2 })
    await clock.advance('10m')
    expect(await cache.get(refId)).toMatchObject({ status: 'pending' })
    open()
    await clock.advance(0)
    expect(order).toEqual(['a1', 'a2'])
  })

  it('count the tasks that wait for a running reference, although places are free', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 5, maxQueuedTasks: 2 })
    const slow = gated(cache, 'slow', [])
    const { refId } = await slow.tool({ n: 1 })
    await clock.advance(0)
    const use = cache.cached({ name: 'use', asyncTimeout: 0, memoize: false }, () => 'used')
    const input = { of: refId } as never
    const waiting = [await use(input), await use(input)]
    await clock.advance(0)
    for (let n = 0; n < 3; n++) await expect(use(input)).rejects.toThrow(QueueFull)
    // What waits for nothing is not held up by those that do.
    expect(await use({})).toMatchObject({ status: 'pending' })
    await cache.cancelTask(waiting[0]?.refId ?? '')
    await clock.advance(0)
    waiting.push(await use(input))
    await expect(use(input)).rejects.toThrow(QueueFull)
    slow.open()
    await clock.advance('5s')
    for (const { refId } of waiting.slice(1)) {
      expect(await cache.get(refId)).toMatchObject({ value: 'used' })
    }
    expect(await use(input)).toMatchObject({ status: 'pending' })
  })

  it('count them whose turn has come behind a full house, each once', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1, maxQueuedTasks: 2 })
    const slow = gated(cache, 'slow', [])
    const { refId } = await slow.tool({ n: 1 })
    const use = gated(cache, 'use', [])
    await use.tool({ n: refId as never })
    await use.tool({ n: [refId] as never })
    await clock.advance(0)
    slow.open()
    await clock.advance('5s')
    // One of them runs, one waits: there is room for one more.
    await use.tool({ n: 3 })
    await expect(use.tool({ n: 4 })).rejects.toThrow(QueueFull)
  })

  it('run a hundred tasks at once unless told otherwise', async () => {
    const { cache, clock } = scene()
    const order: string[] = []
    const { tool } = gated(cache, 'a', order)
    for (let n = 0; n < 120; n++) await tool({ n })
    await clock.advance(0)
    expect(order).toHaveLength(100)
  })
})
