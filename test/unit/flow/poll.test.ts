import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import {
  InvalidArgument,
  NotFound,
  PermissionDenied,
  TaskCancelled,
  ValueTooLarge,
} from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import { deferred, scene } from './scene.ts'

/** A task in flight, and the strings that move it. */
async function taskInFlight(options: Parameters<typeof scene>[0] = {}) {
  const { cache, clock } = scene(options)
  const work = deferred<unknown>()
  let task: TaskContext | undefined
  const handler = vi.fn((_: object, context: TaskContext) => {
    task = context
    return work.promise
  })
  const tool = cache.cached({ name: 'slow', asyncTimeout: 0 }, handler)
  const { refId } = await tool({})
  await clock.advance(0)
  return { cache, clock, work, handler, tool, refId, task: task as unknown as TaskContext }
}

describe('a poll', () => {
  it('looks at the task before the value: in flight it answers with its status', async () => {
    const { cache, refId } = await taskInFlight()
    const answer = await cache.get(refId)
    expect(answer).toMatchObject({ refId, status: 'processing', isComplete: false, isAsync: true })
    expect(answer).toHaveProperty('startedAt', expect.any(Date))
    expect(answer).toHaveProperty('pollAfterSeconds', 1)
    expect(answer).not.toHaveProperty('progress')
    expect(answer).not.toHaveProperty('etaSeconds')
  })

  it('answers with the status whatever page is asked for during flight', async () => {
    const { cache, refId } = await taskInFlight()
    expect(await cache.get(refId, { page: 3, pageSize: 10, maxSize: 5 })).toMatchObject({
      status: 'processing',
    })
    expect(await cache.get(refId, { full: true })).toMatchObject({ status: 'processing' })
  })

  it('gives the value of a finished task under the same reference, and pages and budgets work on it at once', async () => {
    const { cache, clock, work, refId } = await taskInFlight()
    const list = Array.from({ length: 5_000 }, (_, n) => ({ n }))
    work.resolve(list)
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({
      refId,
      status: 'complete',
      isComplete: false,
      totalItems: 5_000,
    })
    expect(await cache.get(refId, { page: 2, pageSize: 2 })).toMatchObject({
      preview: [{ n: 2 }, { n: 3 }],
      page: 2,
      totalPages: 2_500,
    })
    expect(await cache.get(refId, { maxSize: 20 })).toSatisfy(
      (answer: { previewSize: number }) => answer.previewSize <= 20,
    )
    expect(await cache.get(refId, { full: true })).toMatchObject({ isComplete: true, value: list })
  })

  it('gives error information for a failed task', async () => {
    const { cache, clock, work, refId } = await taskInFlight()
    work.reject(new Error('upstream returned 503'))
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({
      status: 'failed',
      error: 'upstream returned 503',
      errorCode: 'task_failed',
      canRetry: true,
      retryCount: 0,
      maxRetries: 0,
    })
  })

  it('gives the status of a cancelled task, never not-found', async () => {
    const { cache, clock, task, refId } = await taskInFlight()
    expect(await cache.cancelTask(refId)).toMatchObject({ status: 'cancelled', refId })
    expect(task.signal.aborted).toBe(true)
    expect(task.signal.reason).toBeInstanceOf(TaskCancelled)
    await clock.advance(1_000)
    expect(await cache.get(refId)).toMatchObject({ status: 'cancelled' })
    expect(await cache.cancelTask(refId)).toMatchObject({ status: 'cancelled' })
  })

  it('discards the late result of a cancelled task', async () => {
    const { cache, clock, work, refId } = await taskInFlight()
    await cache.cancelTask(refId)
    work.resolve('late')
    await clock.advance(1_000)
    expect(await cache.get(refId)).toMatchObject({ status: 'cancelled' })
  })

  it('leaves a finished task as it is when it is cancelled too late', async () => {
    const { cache, clock, work, refId } = await taskInFlight()
    work.resolve('won')
    await clock.advance(0)
    expect(await cache.cancelTask(refId)).toMatchObject({ status: 'complete' })
    expect(await cache.get(refId)).toMatchObject({ value: 'won' })
  })

  it('includes progress with its percentage, and an ETA from it', async () => {
    const { cache, clock, task, refId } = await taskInFlight()
    await clock.advance(9_000)
    task.progress(15, 50, 'page 15 of 50')
    await clock.advance(1_000)
    expect(await cache.get(refId)).toMatchObject({
      progress: { current: 15, total: 50, percentage: 30, message: 'page 15 of 50' },
      etaSeconds: 23.3,
      pollAfterSeconds: 5,
    })
  })

  it('takes a message alone as progress, without an ETA', async () => {
    const { cache, clock, task, refId } = await taskInFlight()
    task.progress({ message: 'indexing' })
    await clock.advance(100)
    const answer = await cache.get(refId)
    expect(answer).toMatchObject({ progress: { message: 'indexing' } })
    expect(answer).not.toHaveProperty('etaSeconds')
    expect(answer).not.toHaveProperty('progress.percentage')
  })

  it.each([
    ['past the total', [12, 10], { percentage: 100 }, 0],
    ['of current 0', [0, 10], { percentage: 0 }, undefined],
    ['without a total', [5], {}, undefined],
    ['of a total of 0', [5, 0], {}, undefined],
    ['of nonsense', [Number.NaN, Number.POSITIVE_INFINITY, 'still'], { message: 'still' }, undefined],
    ['that is negative', [-1, -5, 'odd'], { message: 'odd' }, undefined],
  ] as const)('makes no nonsense of progress %s', async (_, report, progress, eta) => {
    const { cache, clock, task, refId } = await taskInFlight()
    await clock.advance(5_000)
    task.progress(...(report as unknown as [number, number, string]))
    await clock.advance(100)
    const answer = await cache.get(refId)
    expect(answer).toHaveProperty('progress', expect.objectContaining(progress))
    expect((answer as { etaSeconds?: number }).etaSeconds).toBe(eta)
  })

  it('waits for the end of the task as long as it was told to', async () => {
    const { cache, clock, work, refId } = await taskInFlight()
    const early = cache.get(refId, { wait: '5s' })
    await clock.advance(5_000)
    expect(await early).toMatchObject({ status: 'processing' })
    const patient = cache.get(refId, { wait: '25s' })
    await clock.advance(3_000)
    work.resolve('done')
    await clock.advance(0)
    expect(await patient).toMatchObject({ status: 'complete', value: 'done' })
  })

  it('many pollers agree, cost no runs, and do not block the task', async () => {
    const { cache, clock, work, handler, refId } = await taskInFlight()
    const polls = Array.from({ length: 200 }, (_, n) => cache.get(refId, { wait: n % 2 ? '10s' : 0 }))
    await clock.advance(50)
    work.resolve({ data: 'result' })
    await clock.advance(10_000)
    const answers = await Promise.all(polls)
    for (const [n, answer] of answers.entries()) {
      expect(answer.status).toBe(n % 2 ? 'complete' : 'processing')
    }
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('the scenario: 500 ms of work, a soft timeout of 100, polled every 100 ms', async () => {
    const { cache, clock } = scene()
    const handler = vi.fn(async () => {
      await new Promise<void>(done => clock.schedule(500, done))
      return { data: 'result' }
    })
    const call = cache.cached({ name: 'scenario', asyncTimeout: 100 }, handler)({})
    await clock.advance(100)
    const handle = await call
    expect(handle.status).toBe('processing')
    let answer = await cache.get(handle.refId)
    let polls = 1
    while (answer.status !== 'complete' && polls < 10) {
      await clock.advance(100)
      answer = await cache.get(handle.refId)
      polls++
    }
    expect(answer).toMatchObject({ status: 'complete', value: { data: 'result' }, refId: handle.refId })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('gives one and the same error for unknown, malformed, foreign, hidden and expired references', async () => {
    const { cache, clock } = scene()
    const expired = await cache.set('old', 1, { ttl: '1s' })
    const hidden = await cache.set('hidden', 1, { policy: AccessPolicy.userOnly })
    const foreign = await cache.set('foreign', 1, { namespace: 'user:alice' })
    await clock.advance(1_000)
    const refs = [
      `t:${'0'.repeat(32)}`,
      `other:${'0'.repeat(32)}`,
      'nonsense',
      '',
      'x'.repeat(1_000_000),
      undefined as never,
      { refId: 1 } as never,
      expired.refId,
      hidden.refId,
      foreign.refId,
    ]
    for (const ref of refs) {
      for (const ask of [
        cache.get(ref),
        cache.resolve(ref),
        cache.taskStatus(ref),
        cache.cancelTask(ref),
        cache.delete(ref, { actor: 'agent' }),
      ]) {
        const error = await ask.catch(e => e)
        expect(error).toBeInstanceOf(NotFound)
        expect(error.message).toBe(new NotFound().message)
      }
      expect(await cache.exists(ref)).toBe(false)
    }
  })

  it.each([
    ['page 0', { page: 0 }],
    ['a negative page', { page: -1 }],
    ['half a page', { page: 1.5 }],
    ['a page past the end', { page: 2 }],
    ['page size 0', { pageSize: 0 }],
    ['max size 0', { maxSize: 0 }],
    ['a text as page', { page: '1' as never }],
    ['a negative wait', { wait: -1 }],
    ['full and page', { full: true, page: 1 }],
  ])('refuses %s with a coded error, and the value stays', async (_, options) => {
    const { cache } = scene()
    const { refId } = await cache.set('v', [1, 2])
    await expect(cache.get(refId, options)).rejects.toThrow(InvalidArgument)
    expect(await cache.get(refId)).toMatchObject({ value: [1, 2] })
  })

  it('gives no more than the ceiling at once, and says how to page', async () => {
    const { cache } = scene({ fullLimitBytes: 1_000 })
    const { refId } = await cache.set('v', 'x'.repeat(2_000))
    await expect(cache.get(refId, { full: true })).rejects.toThrow(ValueTooLarge)
    await expect(cache.get(refId, { full: true })).rejects.toThrow(/page/)
    expect(await cache.get(refId, { maxSize: 1_000_000 })).toMatchObject({ isComplete: false })
  })
})

describe('what an actor may not see', () => {
  it('an EXECUTE-only value is used, never shown', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('salaries', [1, 2, 3], { policy: AccessPolicy.executeOnly })
    await expect(cache.get(refId)).rejects.toThrow(PermissionDenied)
    await expect(cache.get(refId, { page: 1 })).rejects.toThrow(PermissionDenied)
    await expect(cache.resolve(refId)).rejects.toThrow(PermissionDenied)
    expect(await cache.resolve(refId, { permission: 16 })).toEqual([1, 2, 3])
    expect(await cache.get(refId, { actor: 'user' })).toMatchObject({ value: [1, 2, 3] })
    expect(await cache.taskStatus(refId)).not.toHaveProperty('value')
  })

  it('a call that makes an EXECUTE-only value answers with the bare reference', async () => {
    const { cache } = scene()
    const tool = cache.cached({ name: 'private', policy: AccessPolicy.executeOnly }, () => 'secret')
    const answer = await tool({})
    expect(answer).toMatchObject({ status: 'complete', isComplete: false })
    expect(JSON.stringify(answer)).not.toContain('secret')
  })

  it('words of an EXECUTE-only task stay inside: progress messages and error texts', async () => {
    const { cache, clock } = scene()
    const work = deferred()
    const tool = cache.cached(
      { name: 'private', policy: AccessPolicy.executeOnly, asyncTimeout: 0, memoize: false },
      (_: object, task: TaskContext) => {
        task.progress(1, 2, 'secret')
        return work.promise
      },
    )
    const { refId } = await tool({})
    await clock.advance(100)
    const heard: unknown[] = []
    const polled = cache.get(refId, { wait: '1s', onProgress: p => heard.push(p) })
    await clock.advance(1_000)
    expect(await polled).toMatchObject({ progress: { current: 1, total: 2 } })
    work.reject(new Error('secret'))
    await clock.advance(0)
    const failed = await cache.get(refId, { responseFormat: 'full' })
    expect(failed).toMatchObject({ status: 'failed' })
    expect(JSON.stringify([await polled, failed, heard])).not.toContain('secret')
  })

  it('nor do they reach a caller that still waits', async () => {
    const { cache } = scene()
    const fail = () => Promise.reject(new Error('secret row: 42'))
    const tool = cache.cached({ name: 'private', policy: AccessPolicy.executeOnly, maxRetries: 0 }, fail)
    const error = await tool({}).catch(e => e)
    expect(error).toMatchObject({ code: 'task_failed', message: expect.stringMatching(/is private/) })
    expect(error.cause).toBeUndefined()
    await expect(tool({}, { actor: 'user' })).rejects.toThrow('secret row: 42')
    const handle = await tool({}, { asyncTimeout: 0 })
    await expect(cache.resolve(handle.refId, { permission: 16, wait: '1s' })).rejects.toThrow(/is private/)
  })

  it('deleting needs the right to', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1)
    await expect(cache.delete(refId, { actor: 'agent' })).rejects.toThrow(PermissionDenied)
    expect(await cache.delete(refId, { actor: actor.system() })).toBe(true)
    expect(await cache.exists(refId)).toBe(false)
  })

  it('cancelling is for whoever started it', async () => {
    const { cache, refId } = await taskInFlight()
    await expect(cache.cancelTask(refId, { actor: actor.agent({ id: 'other' }) })).rejects.toThrow(
      PermissionDenied,
    )
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
  })
})

describe('a cached value cannot be changed from outside', () => {
  it('neither through what was given to set, nor through anything that was handed out', async () => {
    const { cache } = scene()
    const given = { list: [{ a: 1 }] }
    const { refId } = await cache.set('v', given)
    given.list.push({ a: 2 })
    const resolved = (await cache.resolve(refId)) as typeof given
    resolved.list.push({ a: 3 })
    for (const options of [{}, { full: true }, { page: 1 }, { maxSize: 5 }]) {
      const answer = (await cache.get(refId, options)) as unknown as {
        value?: typeof given
        preview?: typeof given
      }
      const shown = answer.value ?? answer.preview
      if (shown?.list) shown.list = []
    }
    expect(await cache.resolve(refId)).toEqual({ list: [{ a: 1 }] })
    expect(await cache.get(refId)).toMatchObject({ value: { list: [{ a: 1 }] } })
  })

  it('the same label again is another reference; the first keeps its value', async () => {
    const { cache } = scene()
    const first = await cache.set('v', 1)
    const second = await cache.set('v', 2)
    expect(await cache.resolve(first.refId)).toBe(1)
    expect(await cache.resolve(second.refId)).toBe(2)
  })
})
