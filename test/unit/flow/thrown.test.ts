import { describe, expect, it, vi } from 'vitest'
import { Permission } from '../../../src/access/permission.ts'
import { toErrorResult } from '../../../src/agent/wire.ts'
import { deferred, scene } from './scene.ts'

const throwing = () => {
  throw new Error('a trap')
}

const ODD: ReadonlyArray<[string, () => unknown]> = [
  ['a message that is a number', () => Object.assign(new Error('x'), { message: 404 })],
  ['a message that throws', () => Object.defineProperty(new Error('x'), 'message', { get: throwing })],
  ['an object without a prototype', () => Object.create(null)],
  ['undefined', () => undefined],
  ['null', () => null],
  ['a symbol', () => Symbol('s')],
  ['a bigint', () => 1n],
  ['a frozen object', () => Object.freeze({ code: 'E_ODD' })],
  ['a proxy that throws', () => new Proxy({}, { get: throwing, has: throwing, getPrototypeOf: throwing })],
]

describe.each(ODD)('a handler that throws %s', (_, make) => {
  it('fails its task at once, with words, and runs once', async () => {
    const { cache, clock } = scene()
    const handler = vi.fn(() => {
      throw make()
    })
    const { refId } = await cache.cached({ name: 'odd', asyncTimeout: 0, idempotent: true }, handler)({})
    await clock.advance(0)
    const answer = await cache.get(refId)
    expect(answer).toMatchObject({
      status: 'failed',
      errorCode: 'task_failed',
      error: expect.stringMatching(/\S/),
    })
    await clock.advance('5m')
    expect(handler).toHaveBeenCalledOnce()
  })

  it('rejects who waits, with something that can be shown', async () => {
    const { cache } = scene()
    const waiting = cache.cached({ name: 'odd' }, () => {
      throw make()
    })({})
    const error = await waiting.then(
      () => expect.fail('It should have failed.'),
      (thrown: unknown) => thrown,
    )
    expect(toErrorResult(error)).toMatchObject({ isError: true, content: [{ type: 'text' }] })
  })

  it('is tried again where the tool says so', async () => {
    const { cache, clock } = scene()
    const handler = vi.fn(() => {
      throw make()
    })
    await cache.cached({ name: 'odd', asyncTimeout: 0, maxRetries: 2 }, handler)({})
    await clock.advance('1m')
    expect(handler).toHaveBeenCalledTimes(3)
  })
})

describe('retryable', () => {
  it.each<[string, (error: unknown) => boolean | Promise<boolean>, number]>([
    ['says yes', () => true, 3],
    ['says no', () => false, 1],
    ['says yes later', async () => true, 3],
    ['says no later', async () => false, 1],
    ['throws', throwing, 1],
    ['rejects', () => Promise.reject(new Error('a problem of its own')), 1],
    ['never answers', () => new Promise(() => {}), 1],
  ])('%s', async (_, retryable, runs) => {
    const { cache, clock } = scene()
    const handler = vi.fn(() => {
      throw new Error('the handler failed')
    })
    const { refId } = await cache.cached(
      { name: 'flaky', asyncTimeout: 0, maxRetries: 2, retryable },
      handler,
    )({})
    await clock.advance('1m')
    expect(handler).toHaveBeenCalledTimes(runs)
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', error: 'the handler failed' })
  })
})

describe("the handler's own error", () => {
  it('is the cause for who asks in the same process, waiting or later', async () => {
    const { cache, clock } = scene()
    const failure = Object.assign(new Error('quota used up'), { resetAt: 17 })
    const work = deferred()
    const tool = cache.cached({ name: 'fails', asyncTimeout: 0 }, () => work.promise)
    const { refId } = await tool({})
    const waiting = cache.resolve(refId, { wait: '1m' }).catch((error: unknown) => error)
    work.reject(failure)
    await clock.advance(0)
    expect(await waiting).toMatchObject({ code: 'task_failed', message: 'quota used up', cause: failure })
    await expect(cache.resolve(refId)).rejects.toMatchObject({ cause: failure })
  })

  it('is that of the latest attempt, and goes with its entry', async () => {
    const { cache, clock } = scene()
    let runs = 0
    const tool = cache.cached({ name: 'fails', asyncTimeout: 0 }, () => {
      throw new Error(`run ${++runs}`)
    })
    const { refId } = await tool({})
    await clock.advance(0)
    await cache.retryTask(refId)
    await clock.advance(0)
    await expect(cache.resolve(refId)).rejects.toMatchObject({ cause: { message: 'run 2' } })
  })

  it('stays with those who may read the words', async () => {
    const { cache, clock } = scene()
    const secret = await cache.set('salary', 'hunter2', { policy: { agent: Permission.EXECUTE } })
    const tool = cache.cached({ name: 'use', asyncTimeout: 0 }, ({ of }: { of: string }) => {
      throw new Error(`bad value ${of}`)
    })
    const { refId } = await tool({ of: secret.refId })
    await clock.advance(0)
    const error = await cache.resolve(refId).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect((error as Error).cause).toBeUndefined()
    expect(String(error)).not.toContain('hunter2')
  })
})
