import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { actor } from '../../../src/access/actor.ts'
import { InvalidArgument, NotSerializable, PermissionDenied, TaskFailed } from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import { deferred, scene } from './scene.ts'

describe('a call of a cached tool', () => {
  it('waits for the result without a soft timeout, and gives it whole', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'slow' }, async () => {
      await new Promise<void>(done => clock.schedule(3_600_000 - 1, done))
      return [1, 2, 3]
    })
    const answer = tool({})
    await clock.advance(3_600_000)
    expect(await answer).toMatchObject({
      status: 'complete',
      isComplete: true,
      isAsync: false,
      value: [1, 2, 3],
      size: 7,
      totalItems: 3,
    })
  })

  it('answers with a handle at the soft timeout; the work goes on and the same reference gives its result', async () => {
    const { cache, clock } = scene()
    const work = deferred<string>()
    const handler = vi.fn(() => work.promise)
    const tool = cache.cached({ name: 'slow', asyncTimeout: '5s' }, handler)
    const answer = tool({})
    await clock.advance(5_000)
    const handle = await answer
    expect(handle).toMatchObject({ status: 'processing', isComplete: false, isAsync: true })
    work.resolve('done')
    await clock.advance(0)
    expect(await cache.get(handle.refId)).toMatchObject({
      status: 'complete',
      value: 'done',
      refId: handle.refId,
    })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('answers with a handle at once when the soft timeout is 0', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'now', asyncTimeout: 0 }, () => 1)
    const handle = await tool({})
    expect(['pending', 'processing']).toContain(handle.status)
    await clock.advance(0)
    expect(await tool({})).toMatchObject({ status: 'complete', value: 1, refId: handle.refId })
  })

  it('once: the soft timeout never starts the work again, however often and by whomever it is called', async () => {
    const { cache, clock } = scene()
    const work = deferred<number>()
    const handler = vi.fn(() => work.promise)
    const tool = cache.cached({ name: 'slow', asyncTimeout: 100 }, handler)
    const calls = Array.from({ length: 20 }, () => tool({}))
    await clock.advance(100)
    const later = Array.from({ length: 20 }, () => tool({}))
    await clock.advance(100)
    const handles = await Promise.all([...calls, ...later])
    expect(new Set(handles.map(({ refId }) => refId)).size).toBe(1)
    work.resolve(1)
    await clock.advance(0)
    await tool({})
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('answers an identical call from the cache until the ttl is over, counted from completion', async () => {
    const { cache, clock } = scene({ defaultTtl: '1m' })
    const handler = vi.fn(() => 'v')
    const tool = cache.cached({ name: 'quick' }, handler)
    const first = await tool({})
    await clock.advance(59_000)
    expect((await tool({})).refId).toBe(first.refId)
    await clock.advance(1_000)
    expect((await tool({})).refId).not.toBe(first.refId)
    expect(handler).toHaveBeenCalledTimes(2)
    await expect(cache.get(first.refId)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('gives every call its own reference and run with memoize: false', async () => {
    const { cache } = scene()
    const handler = vi.fn(() => 'v')
    const tool = cache.cached({ name: 'quick', memoize: false }, handler)
    const [a, b] = await Promise.all([tool({}), tool({})])
    expect(a.refId).not.toBe(b.refId)
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('tells apart tools, namespaces and inputs', async () => {
    const { cache } = scene()
    const handler = vi.fn((input: { id: number }) => input.id)
    const tool = cache.cached({ name: 'a' }, handler)
    const other = cache.cached({ name: 'b' }, handler)
    const who = actor.user({ id: 'x' })
    await tool({ id: 1 })
    await tool({ id: 2 })
    await other({ id: 1 })
    await tool({ id: 1 }, { namespace: 'user:x', actor: who })
    expect(handler).toHaveBeenCalledTimes(4)
    await tool({ id: 1 }, { namespace: 'user:x', actor: who })
    expect(handler).toHaveBeenCalledTimes(4)
  })

  it('rejects the caller with the handler’s own error, and the next call runs again', async () => {
    const { cache } = scene()
    const own = new RangeError('out of range', { cause: 'x' })
    const handler = vi.fn(() => Promise.reject(own))
    const tool = cache.cached({ name: 'bad' }, handler)
    const results = await Promise.allSettled([tool({}), tool({})])
    for (const result of results) expect(result).toEqual({ status: 'rejected', reason: own })
    expect(handler).toHaveBeenCalledTimes(1)
    await expect(tool({})).rejects.toBe(own)
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('rejects a handler that throws synchronously just the same', async () => {
    const { cache } = scene()
    const tool = cache.cached({ name: 'bad' }, () => {
      throw new TypeError('sync')
    })
    await expect(tool({})).rejects.toThrow(new TypeError('sync'))
  })

  it.each([
    ['a BigInt', 1n],
    ['a function', () => 1],
    ['a Map', new Map()],
  ])('rejects a result that JSON cannot hold: %s', async (_, result) => {
    const { cache } = scene()
    await expect(cache.cached({ name: 'odd' }, () => result)({})).rejects.toThrow(NotSerializable)
  })

  it('refuses a value over the ceiling, and says so to whoever polls', async () => {
    const { cache, clock } = scene({ maxValueBytes: 100 })
    const tool = cache.cached({ name: 'big', asyncTimeout: 0 }, () => 'x'.repeat(100))
    const { refId } = await tool({})
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({
      status: 'failed',
      errorCode: 'value_too_large',
      canRetry: false,
    })
  })

  it('gives the handler its own copy of the input, as JSON has it', async () => {
    const { cache } = scene()
    const input = { list: [1], gone: undefined }
    let seen: unknown
    await cache.cached({ name: 'in' }, (given: typeof input) => {
      seen = given
      given.list.push(2)
    })(input)
    expect(seen).toEqual({ list: [1, 2] })
    expect(input.list).toEqual([1])
  })

  it('validates input with any Standard Schema before the key is made of it', async () => {
    const { cache } = scene()
    const handler = vi.fn(({ id }: { id: number }) => id)
    const tool = cache.cached({ name: 'checked', input: z.object({ id: z.coerce.number() }) }, handler)
    const first = await tool({ id: '7' as unknown as number })
    expect((await tool({ id: 7 })).refId).toBe(first.refId)
    await expect(tool({} as never)).rejects.toThrow(InvalidArgument)
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('tells a waiting caller of progress', async () => {
    const { cache, clock } = scene()
    const work = deferred()
    const tool = cache.cached({ name: 'steps' }, async (_: object, task: TaskContext) => {
      task.progress(1, 4, 'one')
      await work.promise
    })
    const seen: unknown[] = []
    const answer = tool({}, { onProgress: progress => seen.push(progress) })
    await clock.advance(200)
    work.resolve(null)
    await answer
    expect(seen).toContainEqual({ current: 1, total: 4, message: 'one', percentage: 25 })
  })

  it('is not harmed by a listener of progress that throws', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'steps' }, async (_: object, task: TaskContext) => {
      task.progress(1, 2)
      await new Promise<void>(done => clock.schedule(500, done))
      return 'v'
    })
    const answer = tool(
      {},
      {
        onProgress: () => {
          throw new Error('mine')
        },
      },
    )
    await clock.advance(500)
    expect(await answer).toMatchObject({ value: 'v' })
  })

  it('ends the wait, not the work, when the caller gives up', async () => {
    const { cache, clock } = scene()
    const work = deferred<string>()
    const tool = cache.cached({ name: 'slow' }, () => work.promise)
    const caller = new AbortController()
    const answer = tool({}, { signal: caller.signal })
    await clock.advance(10)
    caller.abort()
    const handle = await answer
    expect(handle.status).toBe('processing')
    work.resolve('kept')
    await clock.advance(0)
    expect(await cache.get(handle.refId)).toMatchObject({ value: 'kept' })
  })

  it('does not start work in a namespace that is not the caller’s', async () => {
    const { cache } = scene()
    const handler = vi.fn(() => 1)
    const tool = cache.cached({ name: 'mine', namespace: 'user:alice' }, handler)
    await expect(tool({}, { actor: actor.user({ id: 'bob' }) })).rejects.toThrow(PermissionDenied)
    await expect(tool({})).rejects.toThrow(PermissionDenied)
    expect(handler).not.toHaveBeenCalled()
  })

  it('does not abort the signal of a handler that has finished', async () => {
    const { cache, clock } = scene()
    const signals: AbortSignal[] = []
    const handler = (fail: boolean) => (_: object, task: TaskContext) => {
      signals.push(task.signal)
      if (fail) throw new Error('no')
    }
    await cache.cached({ name: 'good' }, handler(false))({})
    await cache
      .cached(
        { name: 'bad' },
        handler(true),
      )({})
      .catch(() => {})
    await clock.advance('1m')
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
  })

  it('answers the call that made a result even if that has expired by then', async () => {
    const { cache } = scene()
    expect(await cache.cached({ name: 'brief', ttl: 0 }, () => 'v')({})).toMatchObject({ value: 'v' })
  })

  it('aborts and fails work that runs past its hard timeout', async () => {
    const { cache, clock } = scene()
    let signal: AbortSignal | undefined
    const tool = cache.cached({ name: 'stuck', hardTimeout: '1m', asyncTimeout: '1s' }, (_: object, task) => {
      signal = task.signal
      return new Promise(() => {})
    })
    const answer = tool({})
    await clock.advance(1_000)
    const { refId } = await answer
    await clock.advance(60_000)
    expect(signal?.aborted).toBe(true)
    expect(await cache.get(refId)).toMatchObject({
      status: 'failed',
      errorCode: 'hard_timeout',
      canRetry: true,
    })
  })

  it('fails a caller that still waits at the hard timeout with a coded error', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'stuck', hardTimeout: '1s' }, () => new Promise(() => {}))
    const answer = tool({}).catch(error => error)
    await clock.advance(1_000)
    expect(await answer).toMatchObject({ code: 'hard_timeout' })
  })

  it.each([
    ['no name', { name: '' }],
    ['a negative timeout', { name: 'x', asyncTimeout: -1 }],
    ['a bad duration', { name: 'x', ttl: 'soon' as never }],
    ['a foreign namespace form', { name: 'x', namespace: 'tenant/1' }],
    ['a bad budget', { name: 'x', preview: { maxSize: 0 } }],
    ['a bad strategy', { name: 'x', preview: { strategy: 'nope' as never } }],
    ['a bad ttl mode', { name: 'x', ttlMode: 'nope' as never }],
    ['a bad format', { name: 'x', responseFormat: 'nope' as never }],
    ['room for no task', { name: 'x', maxConcurrentTasks: 0 }],
  ])('refuses a tool with %s', (_, options) => {
    const { cache } = scene()
    expect(() => cache.cached(options, () => 1)).toThrow(InvalidArgument)
  })

  it('gives a joined caller in another cache on the store a coded error', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'bad', asyncTimeout: 0 }, () => Promise.reject(new Error('no')))
    const { refId } = await tool({})
    await clock.advance(0)
    await expect(cache.resolve(refId)).rejects.toThrow(TaskFailed)
  })
})
