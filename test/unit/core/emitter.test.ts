import { describe, expect, it, vi } from 'vitest'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { Emitter } from '../../../src/core/emitter.ts'
import type { Entry } from '../../../src/core/entry.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { type CacheEvent, checkEventType, events } from '../../../src/core/events.ts'
import { tell } from '../../../src/core/listener.ts'

const base = {
  ...{ refId: `t:${'0'.repeat(32)}`, namespace: 'public', policy: AccessPolicy.public, startedBy: 'x' },
  ...{ createdAt: 0, version: 1, attempt: 2, maxRetries: 0, idempotent: false, retryHistory: [] },
}
const lease = { owner: 'a', duration: 1 }
const processing = { ...base, status: 'processing', toolName: 'tool', startedAt: 0, lease } as const
const complete = { ...base, status: 'complete', completedAt: 1, valueBytes: 1 } as const
const error = { code: 'hard_timeout', message: 'secret' } as const
const failed = { ...base, status: 'failed', completedAt: 1, error } as const
const about = { refId: base.refId, namespace: 'public' }
const ofTool = { ...about, toolName: 'tool' }

describe('an event', () => {
  it.each<[CacheEvent, object]>([
    [events.stored(complete), { type: 'entry:stored', ...about }],
    [events.hit(processing), { type: 'entry:hit', ...ofTool }],
    [events.joined(processing), { type: 'entry:joined', ...ofTool }],
    [events.deleted(complete, 'expired'), { type: 'entry:deleted', ...about, reason: 'expired' }],
    [events.started(processing), { type: 'task:started', ...ofTool, attempt: 2 }],
    [
      events.progress({
        ...processing,
        progress: { current: 1, total: 4, percentage: 25, message: 'secret' },
      }),
      { type: 'task:progress', ...ofTool, current: 1, total: 4, percentage: 25 },
    ],
    [
      events.progress(processing),
      { type: 'task:progress', ...ofTool, current: undefined, total: undefined, percentage: undefined },
    ],
    [events.retrying(processing, 5), { type: 'task:retrying', ...ofTool, attempt: 2, retryAt: new Date(5) }],
    [events.settled(complete), { type: 'task:settled', ...about, status: 'complete' }],
    [events.settled(failed), { type: 'task:settled', ...about, status: 'failed', errorCode: 'hard_timeout' }],
    [
      events.refused({ toolName: 'tool', namespace: 'public' }, 'queue_full'),
      { type: 'call:refused', toolName: 'tool', namespace: 'public', errorCode: 'queue_full' },
    ],
    [events.recovered(processing), { type: 'task:recovered', ...ofTool }],
  ])('says what happened to which entry, and no more: $type', (event, expected) => {
    expect(event).toStrictEqual(expected)
    expect(() => checkEventType(event.type)).not.toThrow()
  })

  it('of a call without an entry has no reference', () => {
    const { refId: _, ...callOnly } = processing
    expect(events.settled({ ...callOnly, ...complete, refId: undefined } as never)).not.toHaveProperty(
      'refId',
    )
  })

  it.each<[string, RegExp]>([
    ['task:setled', /no event 'task:setled'. Did you mean 'task:settled'/],
    ['toString', /no event 'toString'. There are: \*, entry:stored/],
    ['x'.repeat(1_000), /^There is no event 'x{50}'/],
  ])('that there is not is refused: %.20s', (type, message) => {
    expect(() => checkEventType(type)).toThrow(InvalidArgument)
    expect(() => checkEventType(type)).toThrow(message)
  })
})

describe('an emitter', () => {
  const stored = events.stored(complete)
  const settled = events.settled(complete)

  it('tells those who listen to the type, and those who listen to all', () => {
    const heard: string[] = []
    const emitter = new Emitter()
    emitter.on('entry:stored', event => heard.push(`own ${event.type}`))
    emitter.on('*', event => heard.push(`all ${event.type}`))
    emitter.emit(stored)
    emitter.emit(settled)
    expect(heard).toEqual(['own entry:stored', 'all entry:stored', 'all task:settled'])
  })

  it('is unheard until somebody listens to anything, and again after that', () => {
    const emitter = new Emitter()
    expect(emitter.isUnheard).toBe(true)
    emitter.on('entry:stored', () => {})()
    expect(emitter.isUnheard).toBe(true)
    const end = emitter.on('*', () => {})
    expect(emitter.isUnheard).toBe(false)
    end()
    expect(emitter.isUnheard).toBe(true)
  })

  it('tells no more once the listener has ended; a function given twice is two listeners', () => {
    let heard = 0
    const listener = () => heard++
    const emitter = new Emitter()
    const end = emitter.on('*', listener)
    emitter.on('*', listener)
    emitter.emit(stored)
    expect(heard).toBe(2)
    end()
    end()
    emitter.emit(stored)
    expect(heard).toBe(3)
  })

  it('tells once where once is meant, also where the listener causes the next event', () => {
    let heard = 0
    const emitter = new Emitter()
    emitter.on(
      'entry:stored',
      () => {
        heard++
        if (heard < 5) emitter.emit(stored)
      },
      true,
    )
    emitter.emit(stored)
    emitter.emit(stored)
    expect(heard).toBe(1)
  })

  it('lets no listener harm the others or the caller', async () => {
    const heard: unknown[] = []
    const emitter = new Emitter()
    emitter.on('*', () => {
      throw new Error('a listener')
    })
    emitter.on('*', () => Promise.reject(new Error('a listener')))
    const rejecting = [
      'then',
      (_: unknown, reject: (error: Error) => void) => reject(new Error('a thenable')),
    ]
    emitter.on('*', () => Object.fromEntries([rejecting]))
    emitter.on('*', event => heard.push(event))
    emitter.emit(stored)
    await new Promise(resolve => setImmediate(resolve))
    expect(heard).toEqual([stored])
  })

  it('tells an event as it is to be told', () => {
    const heard: unknown[] = []
    const emitter = new Emitter(event => ({ ...event, namespace: 'hidden' }))
    emitter.on('entry:stored', event => heard.push(event.namespace))
    emitter.emit(stored)
    expect(heard).toEqual(['hidden'])
  })

  it('refuses a misspelled event, and what is no function', () => {
    const emitter = new Emitter()
    expect(() => emitter.on('entry:stord' as '*', () => 1)).toThrow(/entry:stored/)
    for (const listener of [undefined, 'x', {}]) {
      expect(() => emitter.on('*', listener as never)).toThrow('A listener must be a function.')
    }
  })
})

it.each<unknown>([undefined, null, 7, {}, [], Promise.resolve(1)])(
  'a listener may answer %j, and gets what it is told',
  answer => {
    const heard: unknown[] = []
    const listener = (...args: unknown[]) => {
      heard.push(args)
      return answer
    }
    expect(tell(listener, 1, 2)).toBeUndefined()
    expect(heard).toEqual([[1, 2]])
  },
)

it('entries of every kind can be told of', () => {
  const all: Entry[] = [processing, complete, failed]
  expect(all.map(entry => events.hit(entry).type)).toEqual(['entry:hit', 'entry:hit', 'entry:hit'])
})

it('a listener that answers with a promise has its rejection looked after', () => {
  const answer = Promise.resolve()
  const caught = vi.spyOn(answer, 'catch')
  tell(() => answer)
  expect(caught).toHaveBeenCalledOnce()
})
