import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InvalidArgument, StoreUnavailable } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { scene } from './scene.ts'

const unhandled: unknown[] = []
const warnings: Error[] = []
const remember = (error: unknown) => void unhandled.push(error)
const warn = (warning: Error) => void warnings.push(warning)

beforeEach(() => {
  unhandled.length = 0
  warnings.length = 0
  process.on('unhandledRejection', remember)
  process.on('warning', warn)
})
afterEach(() => {
  process.off('unhandledRejection', remember)
  process.off('warning', warn)
})

const rejecting = async () => {
  throw new Error('listener')
}

describe('listeners', () => {
  it('may reject or throw without an unhandled rejection: on, onProgress, watch, audit', async () => {
    const { cache, clock } = scene({ audit: { write: rejecting, close: rejecting } })
    cache.on('task:started', rejecting)
    cache.on('task:settled', () => {
      throw new Error('listener')
    })
    cache.on('task:progress', () => ({
      // biome-ignore lint/suspicious/noThenProperty: a listener may return anything
      then: () => {
        throw new Error('thenable')
      },
    }))
    const tool = cache.cached({ name: 'x' }, async (_: object, task) => {
      task.progress(1, 2)
      await new Promise<void>(resolve => clock.schedule(1_000, resolve))
      return 1
    })
    const call = tool({}, { onProgress: rejecting, actor: 'user' })
    await clock.advance('500ms')
    const pending = await tool({}, { asyncTimeout: 0, actor: 'user' })
    await cache.watch(pending.refId, { actor: 'user' }, rejecting)
    const poll = cache.get(pending.refId, { wait: '10s', onProgress: rejecting, actor: 'user' })
    await clock.advance('1s')
    expect((await call).status).toBe('complete')
    expect((await poll).status).toBe('complete')
    await cache.close()
    await clock.advance(0)
    expect(unhandled).toEqual([])
  })

  it('one function registered twice is two listeners, each with its own end', async () => {
    const { cache } = scene()
    let heard = 0
    const listener = () => heard++
    const offFirst = cache.on('entry:stored', listener)
    const offSecond = cache.on('entry:stored', listener)
    await cache.set('a', 1)
    expect(heard).toBe(2)
    offFirst()
    offFirst()
    await cache.set('a', 1)
    expect(heard).toBe(3)
    offSecond()
    await cache.set('a', 1)
    expect(heard).toBe(3)
    await cache.close()
  })
})

describe('events', () => {
  it("'*' hears every event, after the listeners of its type", async () => {
    const { cache } = scene()
    const heard: string[] = []
    const end = cache.on('*', event => heard.push(`* ${event.type}`))
    cache.on('entry:stored', event => heard.push(event.type))
    const tool = cache.cached({ name: 'x' }, () => 1)
    await cache.set('a', 1)
    await tool({}, { actor: 'user' })
    end()
    await cache.set('b', 2)
    expect(heard).toEqual([
      'entry:stored',
      '* entry:stored',
      '* task:started',
      '* task:settled',
      'entry:stored',
    ])
    await cache.close()
  })

  it('once hears one event, also where it causes the next, and can be ended before', async () => {
    const { cache } = scene()
    const heard: string[] = []
    let stored: Promise<unknown> | undefined
    cache.once('entry:stored', event => {
      heard.push(event.type)
      stored = cache.set('b', 2)
    })
    cache.once('*', event => heard.push(`* ${event.type}`))
    cache.once('entry:stored', () => heard.push('ended'))()
    await cache.set('a', 1)
    await stored
    await cache.set('c', 3)
    expect(heard).toEqual(['entry:stored', '* entry:stored'])
    await cache.close()
  })

  it('an event that there is not is refused, with the name that was meant', async () => {
    const { cache } = scene()
    const refused = (type: string) => () => cache.on(type as 'entry:hit', () => {})
    expect(refused('task:setled')).toThrow("There is no event 'task:setled'. Did you mean 'task:settled'?")
    expect(refused('error')).toThrow("There is no event 'error'. There are: *, entry:stored,")
    expect(refused('toString')).toThrow(InvalidArgument)
    expect(() => cache.once('task:' as 'entry:hit', () => {})).toThrow(InvalidArgument)
    expect(() => cache.on('entry:hit', undefined as unknown as () => void)).toThrow(
      'A listener must be a function.',
    )
    await cache.close()
  })
})

describe('signals', () => {
  it('resolve, list, stats and close are left with the reason; the task and the close go on', async () => {
    const close = vi.fn()
    const { cache, clock } = scene({ audit: { write: () => {}, close } })
    const tool = cache.cached({ name: 'x', asyncTimeout: 0 }, async () => {
      await new Promise<void>(resolve => clock.schedule(3_000, resolve))
      return 1
    })
    const { refId } = await tool({}, { actor: 'user' })
    const user = new AbortController()
    const reason = new Error('enough')
    const value = cache.resolve(refId, { actor: 'user', wait: '1m', signal: user.signal })
    const left = expect(value).rejects.toBe(reason)
    await clock.advance(0)
    user.abort(reason)
    await left
    await expect(cache.list({ signal: user.signal })).rejects.toBe(reason)
    await expect(cache.stats({ signal: user.signal })).rejects.toBe(reason)
    const settled: unknown[] = []
    cache.on('task:settled', ({ status }) => settled.push(status))
    await expect(cache.close({ drain: '5s', signal: user.signal })).rejects.toBe(reason)
    expect(close).not.toHaveBeenCalled()
    await clock.advance('3s')
    await cache.close()
    expect(settled).toEqual(['complete'])
    expect(close).toHaveBeenCalledOnce()
  })

  it('40 calls with one signal give no warning of a leak, and all hear its abort', async () => {
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'x', memoize: false }, () => new Promise(() => {}))
    const user = new AbortController()
    const calls = Array.from({ length: 40 }, () => tool({}, { signal: user.signal, actor: 'user' }))
    await clock.advance(0)
    user.abort()
    const answers = await Promise.all(calls)
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill('processing'))
    await cache.close()
    await clock.advance(0)
    expect(warnings).toEqual([])
  })

  it('40 tasks that end while the store is away give none either', async () => {
    const inner = memoryStore()
    let away = false
    const failing = new Proxy(inner, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        if (name === 'watch') return member.bind(target)
        return async (...args: unknown[]) => {
          if (away) throw new StoreUnavailable('away')
          return member.apply(target, args)
        }
      },
    })
    const { cache, clock } = scene({ store: failing, logger: { warn: () => {}, error: () => {} } })
    const ends: Array<() => void> = []
    const tool = cache.cached({ name: 'x', memoize: false, asyncTimeout: 0 }, () => {
      return new Promise<void>(resolve => ends.push(resolve))
    })
    const answers = await Promise.all(Array.from({ length: 40 }, () => tool({}, { actor: 'user' })))
    await expect.poll(() => ends.length).toBe(40)
    away = true
    for (const end of ends) end()
    await clock.advance('1s')
    away = false
    await clock.advance('10s')
    for (const { refId } of answers) {
      expect((await cache.get(refId, { actor: 'user' })).status).toBe('complete')
    }
    expect(warnings).toEqual([])
    await cache.close()
  })
})
