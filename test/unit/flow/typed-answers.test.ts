import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument, PermissionDenied, TaskCancelled } from '../../../src/core/errors.ts'
import { deferred, scene } from './scene.ts'

describe('the value of a call', () => {
  it('is waited for beyond the soft timeout, and is whole however large', async () => {
    const { cache, clock } = scene({ preview: { maxSize: 10 } })
    const work = deferred<number[]>()
    const tool = cache.cached({ name: 'slow', asyncTimeout: '1s' }, () => work.promise)
    const value = tool.value()
    await clock.advance(60_000)
    const rows = Array.from({ length: 1_000 }, (_, n) => n)
    work.resolve(rows)
    await clock.advance(0)
    expect(await value).toEqual(rows)
  })

  it('is shared with identical calls', async () => {
    const { cache } = scene()
    const handler = vi.fn((args: { id: string }) => ({ id: args.id }))
    const tool = cache.cached({ name: 'once' }, handler)
    expect(await tool.value({ id: 'a' })).toEqual({ id: 'a' })
    expect(await tool({ id: 'a' })).toMatchObject({ isComplete: true, value: { id: 'a' } })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('throws what the handler threw', async () => {
    const { cache } = scene()
    const error = new Error('upstream returned 503')
    const tool = cache.cached({ name: 'fails' }, () => Promise.reject(error))
    await expect(tool.value()).rejects.toBe(error)
  })

  it('throws when the task is cancelled', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'slow', asyncTimeout: 0 }, () => new Promise(() => {}))
    const { refId } = await tool()
    const value = tool.value()
    const thrown = expect(value).rejects.toThrow(TaskCancelled)
    await cache.cancelTask(refId)
    await clock.advance(0)
    await thrown
  })

  it('throws the reason of the signal, and the work goes on', async () => {
    const { cache, clock } = scene()
    const work = deferred<string>()
    const tool = cache.cached({ name: 'slow', asyncTimeout: 0 }, () => work.promise)
    const { refId } = await tool()
    const gone = new AbortController()
    const value = tool.value(undefined, { signal: gone.signal })
    const thrown = expect(value).rejects.toThrow('went home')
    gone.abort(new Error('went home'))
    await thrown
    work.resolve('done')
    await clock.advance(0)
    expect(await cache.resolve(refId)).toBe('done')
  })

  it('is not for whoever may only use it', async () => {
    const { cache } = scene()
    const tool = cache.cached({ name: 'private', policy: AccessPolicy.executeOnly }, () => 'secret')
    await expect(tool.value({}, { actor: 'agent' })).rejects.toThrow(PermissionDenied)
    expect(await tool.value({}, { actor: 'user' })).toBe('secret')
  })
})

describe('a tool without arguments', () => {
  it('is called without an input, which is the same call as with an empty one', async () => {
    const { cache } = scene()
    const handler = vi.fn(() => 'tock')
    const tick = cache.cached({ name: 'tick' }, handler)
    expect(await tick()).toMatchObject({ value: 'tock' })
    expect(await tick({})).toMatchObject({ value: 'tock' })
    expect(handler).toHaveBeenCalledTimes(1)
    expect(handler).toHaveBeenCalledWith({}, expect.anything())
  })
})

describe('resolve with a schema', () => {
  const schema = z.object({ id: z.string(), at: z.coerce.date().optional() })

  it('gives what the schema makes of the value', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', { id: 'a', at: new Date(0) })
    expect(await cache.resolve(refId, { schema })).toEqual({ id: 'a', at: new Date(0) })
  })

  it('refuses a value that does not fit, and says where', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', { id: 7 })
    const refused = cache.resolve(refId, { schema })
    await expect(refused).rejects.toThrow(InvalidArgument)
    await expect(refused).rejects.toThrow(/The value of this reference is not valid: id/)
  })
})

describe('how a task ended', () => {
  it('is said in every format, and is nothing to wait for', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'fails', asyncTimeout: 0 }, () => Promise.reject(new Error('no luck')))
    const { refId } = await tool()
    await clock.advance(0)
    for (const responseFormat of ['minimal', 'standard', 'full'] as const) {
      expect(await cache.get(refId, { responseFormat })).toMatchObject({
        status: 'failed',
        isAsync: false,
        error: 'no luck',
        errorCode: 'task_failed',
        canRetry: true,
      })
    }
    expect(await cache.retryTask(refId)).toMatchObject({ isAsync: true })
    expect(await cache.cancelTask(refId)).toMatchObject({ status: 'cancelled', isAsync: false })
  })
})
