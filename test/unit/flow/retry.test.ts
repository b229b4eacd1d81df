import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { AuditEvent } from '../../../src/access/audit.ts'
import {
  NotFound,
  PermissionDenied,
  ProtocolFailure,
  StoreUnavailable,
  TaskNotReady,
} from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { AsyncTaskResponse } from '../../../src/core/response.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, scene } from './scene.ts'

const QUIET = { warn: () => {}, error: () => {} }

/** A handler that fails until its nth run. */
function failsUntil(nth: number) {
  let runs = 0
  return vi.fn(async (_: object, task: TaskContext) => {
    task.progress(1, 2)
    runs++
    if (runs < nth) throw new Error(`attempt ${runs} failed`)
    return `attempt ${runs}`
  })
}

/** What a handler does that heeds its signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

describe('automatic retries', () => {
  it('try failed work again after growing delays, under one reference, and remember what went wrong', async () => {
    const { cache, clock } = scene()
    const handler = failsUntil(3)
    const tool = cache.cached({ name: 'flaky', asyncTimeout: 0, maxRetries: 3 }, handler)
    const { refId } = await tool({})
    await clock.advance(0)
    expect(handler).toHaveBeenCalledTimes(1)
    expect(await cache.get(refId)).toMatchObject({ status: 'pending', retryCount: 1, maxRetries: 3 })
    await clock.advance(1_000)
    expect(handler).toHaveBeenCalledTimes(2)
    await clock.advance(2_000)
    expect(handler).toHaveBeenCalledTimes(3)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'attempt 3' })
    expect(handler.mock.calls.map(([, task]) => task.attempt)).toEqual([1, 2, 3])
  })

  it('end in failure when they are used up; the full format tells the history', async () => {
    const { cache, clock } = scene()
    const handler = failsUntil(99)
    const { refId } = await cache.cached({ name: 'flaky', asyncTimeout: 0, maxRetries: 2 }, handler)({})
    await clock.advance(60_000)
    expect(handler).toHaveBeenCalledTimes(3)
    expect(await cache.get(refId, { responseFormat: 'full' })).toMatchObject({
      status: 'failed',
      retryCount: 2,
      maxRetries: 2,
      canRetry: true,
      isCancellable: false,
      error: 'attempt 3 failed',
      retryHistory: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3, error: { message: 'attempt 3 failed' } }],
    })
  })

  it.each([
    ['small', 'x'.repeat(8_000), { code: -7, data: 'x'.repeat(8_000) }],
    ['too large for an entry', 'x'.repeat(9_000), { code: -7 }],
    ['large in bytes', '雪'.repeat(3_000), { code: -7 }],
    ['no JSON', 1n as never, { code: -7 }],
    ['absent', undefined, { code: -7 }],
  ])(
    'keep the data of an error of the protocol out of the history, and in the error unless it is large: %s',
    async (_, data, rpc) => {
      const { cache, clock } = scene()
      const tool = cache.cached({ name: 'rpc', asyncTimeout: 0, maxRetries: 1 }, () => {
        throw new ProtocolFailure('no', { code: -7, ...(data === undefined ? {} : { data }) })
      })
      const { refId } = await tool({})
      await clock.advance('5s')
      const failed = (await cache.get(refId, { responseFormat: 'full' })) as AsyncTaskResponse
      expect(failed).toMatchObject({ status: 'failed', error: 'no', errorCode: 'protocol_error' })
      expect(failed.errorRpc).toEqual(rpc)
      expect(failed.retryHistory?.map(({ error }) => error.rpc)).toEqual([{ code: -7 }, { code: -7 }])
    },
  )

  it('are for the errors that the tool says', async () => {
    const { cache, clock } = scene()
    const handler = failsUntil(99)
    const retryable = (error: unknown) => !(error as Error).message.includes('attempt 2')
    const tool = cache.cached({ name: 'flaky', asyncTimeout: 0, maxRetries: 5, retryable }, handler)
    const { refId } = await tool({})
    await clock.advance(60_000)
    expect(handler).toHaveBeenCalledTimes(2)
    expect(await cache.get(refId)).toMatchObject({ status: 'failed' })
  })

  it('are waited for by a caller without a soft timeout, who gets the last error itself', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'flaky', maxRetries: 1 }, failsUntil(99))
    const answer = tool({}).catch(error => error)
    await clock.advance(5_000)
    expect(await answer).toEqual(new Error('attempt 2 failed'))
  })

  it('follow a hard timeout, too', async () => {
    const { cache, clock } = scene()
    const handler = vi.fn((_: object, task: TaskContext) =>
      task.attempt === 1 ? untilAborted(task.signal) : Promise.resolve('second'),
    )
    const tool = cache.cached({ name: 'stuck', hardTimeout: '1s', maxRetries: 1, retryDelay: '2s' }, handler)
    const answer = tool({})
    await clock.advance('1s')
    expect(handler).toHaveBeenCalledTimes(1)
    await clock.advance('2s')
    expect(await answer).toMatchObject({ status: 'complete', value: 'second' })
  })

  it('count one by one while they go on', async () => {
    const { cache, clock } = scene()
    const { refId } = await cache.cached(
      { name: 'flaky', asyncTimeout: 0, maxRetries: 3 },
      failsUntil(99),
    )({})
    for (const [wait, retryCount] of [
      [0, 1],
      [1_000, 2],
      [2_000, 3],
    ] as const) {
      await clock.advance(wait)
      expect(await cache.get(refId)).toMatchObject({ status: 'pending', retryCount })
    }
  })

  it('stop when the task is cancelled during the delay', async () => {
    const { cache, clock } = scene()
    const handler = failsUntil(99)
    const { refId } = await cache.cached({ name: 'flaky', asyncTimeout: 0, maxRetries: 5 }, handler)({})
    await clock.advance(0)
    expect(await cache.cancelTask(refId)).toMatchObject({ status: 'cancelled' })
    await clock.advance(600_000)
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('begin the ETA anew', async () => {
    const { cache, clock } = scene()
    const work = deferred()
    let runs = 0
    const tool = cache.cached(
      { name: 'flaky', asyncTimeout: 0, maxRetries: 1 },
      async (_: object, task: TaskContext) => {
        await new Promise<void>(done => clock.schedule(10_000, done))
        task.progress(1, 2)
        if (++runs === 1) throw new Error('first')
        await work.promise
      },
    )
    const { refId } = await tool({})
    await clock.advance(10_000)
    expect(await cache.get(refId)).not.toHaveProperty('etaSeconds')
    await clock.advance(12_000)
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    const { etaSeconds } = (await cache.get(refId)) as { etaSeconds: number }
    expect(etaSeconds).toBeLessThan(13)
  })

  it('free their place in the queue while they wait', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1 })
    await cache.cached({ name: 'flaky', asyncTimeout: 0, maxRetries: 1 }, failsUntil(99))({})
    await clock.advance(0)
    const other = cache.cached({ name: 'other' }, () => 'ran')
    const answer = other({})
    await clock.advance(0)
    expect(await answer).toMatchObject({ value: 'ran' })
  })
})

describe('a retry by hand', () => {
  async function failed(options: object = {}) {
    const { cache, clock } = scene()
    const handler = failsUntil(2)
    const tool = cache.cached({ name: 'flaky', asyncTimeout: 0, ...options }, handler)
    const { refId } = await tool({})
    await clock.advance(0)
    return { cache, clock, handler, tool, refId }
  }

  it('begins a failed task again under the same reference', async () => {
    const { cache, clock, handler, tool, refId } = await failed()
    expect(await cache.retryTask(refId)).toMatchObject({ refId, status: 'pending' })
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'attempt 2' })
    expect((await tool({})).refId).toBe(refId)
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('begins a cancelled task again', async () => {
    const { cache, clock } = scene()
    const work = deferred<string>()
    const { refId } = await cache.cached({ name: 'slow', asyncTimeout: 0 }, () => work.promise)({})
    await clock.advance(0)
    await cache.cancelTask(refId)
    await cache.retryTask(refId)
    work.resolve('after all')
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'after all' })
  })

  it('is not hurt by what ends of the attempt before, right after a cancel and on a slow store', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    for (const name of ['get', 'update', 'read'] as const) {
      const quick = (store[name] as (...args: unknown[]) => Promise<unknown>).bind(store)
      const slow = async (...args: unknown[]) => {
        await new Promise(done => setImmediate(done))
        const result = await quick(...args)
        await new Promise(done => setImmediate(done))
        return result
      }
      Object.assign(store, { [name]: slow })
    }
    const cache = new RefCache({ name: 't', clock, store })
    const works = [deferred<string>(), deferred<string>()]
    const tool = cache.cached({ name: 'slow', asyncTimeout: 0 }, (_: object, task: TaskContext) =>
      Promise.race([works[task.attempt - 1]?.promise, untilAborted(task.signal)]),
    )
    const { refId } = await tool({})
    await clock.advance(100)
    await cache.cancelTask(refId)
    await cache.retryTask(refId)
    await clock.advance(100)
    works[1]?.resolve('second')
    await clock.advance(100)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'second' })
  })

  it('refused by a full queue, leaves what the task says of its failure', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1, maxQueuedTasks: 0 })
    const tool = cache.cached({ name: 'flaky', asyncTimeout: 0 }, failsUntil(2))
    const { refId } = await tool({})
    await clock.advance(0)
    await cache.cached({ name: 'stuck', asyncTimeout: 0 }, () => new Promise(() => {}))({})
    await expect(cache.retryTask(refId)).rejects.toMatchObject({ code: 'queue_full' })
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', error: 'attempt 1 failed' })
  })

  it('starts one attempt for two callers at once', async () => {
    const { cache, clock, handler, refId } = await failed()
    const answers = await Promise.allSettled([cache.retryTask(refId), cache.retryTask(refId)])
    expect(answers.map(({ status }) => status)).toContain('fulfilled')
    await clock.advance(0)
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('leaves the key to a newer call that took it', async () => {
    const { cache, clock, tool, refId } = await failed()
    const newer = await tool({})
    await clock.advance(0)
    expect(await cache.get(newer.refId)).toMatchObject({ status: 'complete' })
    await cache.retryTask(refId)
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete' })
    expect((await tool({})).refId).toBe(newer.refId)
  })

  it('is refused for a task that runs or has finished, and for strangers', async () => {
    const { cache, clock, refId } = await failed()
    await expect(cache.retryTask(refId, { actor: actor.agent({ id: 'x' }) })).rejects.toThrow(
      PermissionDenied,
    )
    await expect(cache.retryTask('t:nonsense')).rejects.toThrow(NotFound)
    await cache.retryTask(refId)
    await expect(cache.retryTask(refId)).rejects.toThrow(TaskNotReady)
    await clock.advance(0)
    await expect(cache.retryTask(refId)).rejects.toThrow(/finished/)
  })

  it('takes no place in the queue that it does not use: not for who came second, nor where the store fails', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store, maxConcurrentTasks: 1, maxQueuedTasks: 1, logger: QUIET })
    const { refId } = await cache.cached({ name: 'flaky', asyncTimeout: 0 }, failsUntil(2))({})
    await clock.advance(0)
    const update = vi.spyOn(store, 'update')
    for (let round = 0; round < 3; round++) {
      update.mockRejectedValueOnce(new StoreUnavailable('away'))
      await expect(cache.retryTask(refId)).rejects.toThrow(StoreUnavailable)
    }
    update.mockResolvedValueOnce(false).mockResolvedValueOnce(false)
    // Somebody else has begun it again.
    expect(await cache.retryTask(refId)).toMatchObject({ status: 'failed' })
    update.mockRestore()
    await cache.retryTask(refId)
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete', value: 'attempt 2' })
  })

  it('is in the audit, allowed or not, as a retry', async () => {
    const heard: AuditEvent[] = []
    const { cache, clock } = scene({ audit: { write: event => heard.push(event) } })
    const { refId } = await cache.cached({ name: 'flaky', asyncTimeout: 0 }, failsUntil(2))({})
    await clock.advance(0)
    heard.length = 0
    await cache.retryTask(refId, { actor: actor.agent({ id: 'stranger' }) }).catch(() => {})
    await cache.retryTask(refId)
    expect(heard.map(({ action, verdict }) => [action, verdict])).toEqual([
      ['retry', 'denied'],
      ['retry', 'allowed'],
    ])
    for (const event of heard) expect(event.refId).toBe(refId)
  })

  it('needs the tool in this process', async () => {
    const clock = new FakeClock()
    const store = memoryStore()
    const elsewhere = new RefCache({ name: 't', clock, store })
    const { refId } = await elsewhere.cached({ name: 'bad', asyncTimeout: 0 }, failsUntil(2))({})
    await clock.advance(0)
    const here = new RefCache({ name: 't', clock, store })
    await expect(here.retryTask(refId)).rejects.toThrow(/does not have the tool/)
    expect(await here.get(refId)).toMatchObject({ status: 'failed' })
  })
})
