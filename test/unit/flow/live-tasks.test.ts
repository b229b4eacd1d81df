import { afterEach, describe, expect, it, vi } from 'vitest'
import { TaskCancelled } from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { StandardSchema } from '../../../src/core/standard-schema.ts'
import { scene } from './scene.ts'

const limits = { maxConcurrentTasks: 1_000 }
const never = () => new Promise<never>(() => {})

afterEach(() => vi.unstubAllGlobals())

/** How many abort controllers are made while `count` calls begin to run. */
async function controllersFor(count: number, handler: (task: TaskContext) => unknown): Promise<number> {
  let made = 0
  vi.stubGlobal(
    'AbortController',
    class extends AbortController {
      constructor() {
        super()
        made++
      }
    },
  )
  const { cache } = scene(limits)
  let running = 0
  const input: StandardSchema<{ n: number }> = {
    '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as { n: number } }) },
  }
  const tool = cache.cached({ name: 'tool', asyncTimeout: 0, input }, (_, task) => {
    running++
    return handler(task)
  })
  made = 0
  for (let n = 0; n < count; n++) await tool({ n })
  await vi.waitFor(() => expect(running).toBe(count))
  await cache.close()
  return made
}

describe('a running task', () => {
  it('has an abort controller only where its handler reads the signal', async () => {
    const without = await controllersFor(20, never)
    vi.unstubAllGlobals()
    const withSignal = await controllersFor(20, ({ signal }) => Promise.race([never(), signal]))
    expect(withSignal - without).toBe(20)
    // Nor is one made for a call that does not wait.
    expect(without).toBeLessThan(20)
  })

  it('is stopped all the same where nobody has read the signal, and a signal that is read later has aborted', async () => {
    const { cache } = scene()
    let task: TaskContext | undefined
    const tool = cache.cached({ name: 'tool', asyncTimeout: 0 }, (_, own) => {
      task = own
      return never()
    })
    const { refId } = await tool()
    await vi.waitFor(() => expect(task).toBeDefined())
    expect((await cache.cancelTask(refId)).status).toBe('cancelled')
    expect(task?.signal.aborted).toBe(true)
    expect(task?.signal.reason).toBeInstanceOf(TaskCancelled)
    await cache.close()
  })

  it('gives its members to a handler that takes them out, or copies them', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'tool', asyncTimeout: 0 }, async (_, task) => {
      const { progress, attempt, actor } = task
      progress(1, 4, 'begun')
      const copy = { ...task }
      await copy.append(['a', attempt])
      expect(copy.signal).toBe(task.signal)
      return [actor.type]
    })
    const { refId } = await tool()
    await clock.advance('1s')
    expect(await cache.resolve(refId)).toEqual(['a', 1, 'agent'])
    expect(await cache.inspect(refId)).toMatchObject({ progress: { percentage: 25 } })
    await cache.close()
  })
})

describe('the hard timeouts of many tasks', () => {
  it('take one timer', async () => {
    const { cache, clock } = scene(limits)
    const tool = cache.cached({ name: 'tool', asyncTimeout: 0, hardTimeout: '1m' }, (_: { n: number }) =>
      never(),
    )
    await tool({ n: 0 })
    await clock.advance('2s')
    const timers = clock.pending
    for (let n = 1; n < 100; n++) await tool({ n })
    // What a call waits with is over.
    await clock.advance('2s')
    expect(clock.pending).toBe(timers)
    await cache.close()
  })

  it('end them in the order in which they began', async () => {
    const { cache, clock } = scene(limits)
    const ended: string[] = []
    cache.on('task:settled', ({ refId }) => ended.push(refId as string))
    const tool = cache.cached(
      { name: 'tool', asyncTimeout: 0, hardTimeout: '1m', maxRetries: 0 },
      (_: { n: number }) => never(),
    )
    const refIds: string[] = []
    for (let n = 0; n < 5; n++) {
      refIds.push((await tool({ n })).refId)
      await clock.advance('1s')
    }
    await clock.advance('56s')
    expect(ended).toEqual(refIds.slice(0, 2))
    await clock.advance('10s')
    expect(ended).toEqual(refIds)
    await cache.close()
  })
})
