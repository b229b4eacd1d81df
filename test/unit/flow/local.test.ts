import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { deferred, scene } from './scene.ts'

const ada = actor.agent({ id: 'ada' })
const bob = actor.agent({ id: 'bob' })

/** A tool that tells what its handler was given, attempt by attempt. */
function recording({ cache }: ReturnType<typeof scene>, options: object = {}) {
  const seen: Array<{ attempt: number; who: string | undefined; local: unknown }> = []
  const work = vi.fn(async (_attempt: number): Promise<unknown> => 'done')
  const tool = cache.cached({ name: 'tool', ...options }, (_: { n?: number }, task: TaskContext, local) => {
    seen.push({ attempt: task.attempt, who: task.actor.id, local })
    return work(task.attempt)
  })
  return { tool, seen, work }
}

describe('what a call gives to the handler alone', () => {
  it('reaches the run that the call started, and no other caller changes it', async () => {
    const { tool, seen, work } = recording(scene())
    const finish = deferred()
    work.mockImplementation(() => finish.promise)
    const first = tool({}, { actor: ada, local: () => 'hers' })
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    const joined = tool({}, { actor: bob, local: () => 'his' })
    finish.resolve('done')
    await Promise.all([first, joined])
    const hit = await tool({}, { actor: bob, local: () => 'his' })
    expect(hit).toMatchObject({ value: 'done', cachedAt: expect.any(Date) })
    expect(seen).toEqual([{ attempt: 1, who: 'ada', local: 'hers' }])
  })

  it('may be waited for, in a call for the value too', async () => {
    const { tool, seen } = recording(scene())
    expect(await tool.value({}, { local: async () => 'later' })).toBe('done')
    expect(seen).toMatchObject([{ local: 'later' }])
  })

  it('is asked for anew by each attempt of the run', async () => {
    const { clock, ...rest } = scene()
    const { tool, seen, work } = recording({ clock, ...rest }, { maxRetries: 2, asyncTimeout: 0 })
    work.mockImplementation(async attempt => {
      if (attempt < 3) throw new Error('busy')
    })
    let token = 0
    await tool({}, { actor: ada, local: () => ++token })
    await clock.advance('10s')
    expect(seen.map(({ local }) => local)).toEqual([1, 2, 3])
    expect(seen.map(({ who }) => who)).toEqual(['ada', 'ada', 'ada'])
  })

  it('is asked for during a call that only takes the handle, where the run waits for nothing', async () => {
    const { tool, seen } = recording(scene(), { asyncTimeout: 0 })
    let open = true
    await tool({}, { local: () => open })
    open = false
    await vi.waitFor(() => expect(seen).toEqual([{ attempt: 1, who: undefined, local: true }]))
  })

  it('is asked for when the run begins, where that had to wait', async () => {
    const { tool, seen, work } = recording(scene(), { asyncTimeout: 0, maxConcurrentTasks: 1 })
    const finish = deferred()
    work.mockImplementation(() => finish.promise)
    await tool({ n: 1 })
    let open = true
    await tool({ n: 2 }, { local: () => open })
    open = false
    finish.resolve('done')
    await vi.waitFor(() => expect(seen.map(({ local }) => local)).toEqual([undefined, false]))
  })

  it.each([undefined, 0])(
    'fails the attempt where it throws, with an asyncTimeout of %j',
    async asyncTimeout => {
      const { cache, ...rest } = scene()
      const { tool, seen } = recording({ cache, ...rest })
      const local = () => {
        throw new Error('no token')
      }
      const answer = tool({}, { local, asyncTimeout })
      if (asyncTimeout === undefined) await expect(answer).rejects.toThrow('no token')
      else {
        const polled = await cache.get((await answer).refId, { wait: '1s' })
        expect(polled).toMatchObject({ status: 'failed', error: expect.stringContaining('no token') })
      }
      expect(seen).toEqual([])
    },
  )

  it('is a function, and one that never answers ends with the task', async () => {
    const { cache, clock } = scene()
    const { tool, seen } = recording({ cache, clock }, { hardTimeout: '10s' })
    await expect(tool({}, { local: 'token' as never })).rejects.toThrow(/`local` is a function/)
    const { refId } = await tool({}, { local: () => new Promise(() => {}), asyncTimeout: 0 })
    await clock.advance('11s')
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', errorCode: 'hard_timeout' })
    expect(seen).toEqual([])
    await cache.close()
  })
})

describe('a run that no call of this process started has none, but knows who started it', () => {
  it('after a retry by hand', async () => {
    const { cache, ...rest } = scene()
    const { tool, seen, work } = recording({ cache, ...rest })
    work.mockRejectedValueOnce(new Error('busy'))
    const { refId } = await tool({}, { actor: ada, local: () => 'hers', asyncTimeout: 0 })
    expect(await cache.get(refId, { wait: '1s' })).toMatchObject({ status: 'failed' })
    await cache.retryTask(refId, { actor: actor.system() })
    await vi.waitFor(() => expect(seen).toHaveLength(2))
    expect(seen[1]).toEqual({ attempt: 2, who: 'ada', local: undefined })
  })

  it('after a takeover by another process', async () => {
    const store = memoryStore()
    const dispatcher = { shared: true, dispatch: () => 'elsewhere' as const }
    const gone = recording(scene({ store, dispatcher }), { asyncTimeout: 0 })
    const { refId } = await gone.tool({}, { actor: ada, local: () => 'hers' })
    const survivor = scene({ store })
    const { seen } = recording(survivor)
    await survivor.clock.advance('60s')
    expect(seen).toEqual([{ attempt: 1, who: 'ada', local: undefined }])
    expect(await survivor.cache.get(refId, { actor: ada })).toMatchObject({ value: 'done' })
    expect(gone.seen).toEqual([])
  })
})
