import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import {
  abortableUnder,
  isCancelled,
  LazyAbort,
  onAbort,
  pause,
  untilAborted,
} from '../../../src/core/abort.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const reason = new Error('No longer wanted.')
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

describe('listening to a signal', () => {
  it('calls every callback once, a function given twice twice', () => {
    const { signal, abort } = abortableUnder()
    const calls: string[] = []
    const twice = () => calls.push('twice')
    onAbort(signal, twice)
    onAbort(signal, twice)
    onAbort(signal, () => calls.push('other'))
    expect(calls).toEqual([])
    abort(reason)
    abort(new Error('again'))
    expect(calls).toEqual(['twice', 'twice', 'other'])
    expect(listeners(signal)).toBe(0)
  })

  it('puts one listener on it, which goes with the last callback', () => {
    const { signal, abort } = abortableUnder()
    let calls = 0
    const ends = Array.from({ length: 20 }, () => onAbort(signal, () => calls++))
    expect(listeners(signal)).toBe(1)
    for (const end of ends.slice(1)) end()
    expect(listeners(signal)).toBe(1)
    ends[0]?.()
    expect(listeners(signal)).toBe(0)
    // An end that comes twice ends nobody else's.
    const end = onAbort(signal, () => calls++)
    ends[0]?.()
    expect(listeners(signal)).toBe(1)
    abort(reason)
    end()
    expect(calls).toBe(1)
  })

  it('may end from within a callback', () => {
    const { signal, abort } = abortableUnder()
    const calls: string[] = []
    let endSecond = () => {}
    onAbort(signal, () => {
      calls.push('first')
      endSecond()
    })
    endSecond = onAbort(signal, () => calls.push('second'))
    abort(reason)
    expect(calls).toEqual(['first'])
  })
})

describe('an abort controller under others', () => {
  it('aborts with the first of them, for its reason', () => {
    const [one, other] = [abortableUnder(), abortableUnder()]
    const own = abortableUnder(one.signal, other.signal)
    expect(own.signal.aborted).toBe(false)
    other.abort(reason)
    one.abort(new Error('later'))
    expect(own.signal.reason).toBe(reason)
  })

  it('aborts by itself, which its sources do not notice', () => {
    const source = abortableUnder()
    const own = abortableUnder(source.signal)
    own.abort(reason)
    expect([own.signal.reason, source.signal.aborted]).toEqual([reason, false])
  })

  it('is aborted already where a source is', () => {
    expect(abortableUnder(AbortSignal.abort(reason)).signal.reason).toBe(reason)
  })

  it('hears no more once it has ended', () => {
    const source = abortableUnder()
    const own = abortableUnder(source.signal)
    own.end()
    expect(listeners(source.signal)).toBe(0)
    source.abort(reason)
    expect(own.signal.aborted).toBe(false)
  })
})

describe('work until the abort', () => {
  it.each<[string, () => unknown]>([
    ['a value', () => 'done'],
    ['a promise', async () => 'done'],
  ])('gives %s, and leaves no listener', async (_, work) => {
    const { signal } = abortableUnder()
    expect(await untilAborted(signal, work)).toBe('done')
    expect(listeners(signal)).toBe(0)
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw reason
      },
    ],
    ['rejects', () => Promise.reject(reason)],
  ])('fails as it does when it %s', async (_, work) => {
    const { signal } = abortableUnder()
    await expect(untilAborted(signal, work)).rejects.toBe(reason)
    expect(listeners(signal)).toBe(0)
  })

  it('is left behind when it ignores its signal', async () => {
    const { signal, abort } = abortableUnder()
    const outcome = untilAborted(signal, () => new Promise(() => {}))
    abort(reason)
    await expect(outcome).rejects.toBe(reason)
  })

  it('does not begin after it', async () => {
    let began = false
    const work = () => {
      began = true
    }
    await expect(untilAborted(AbortSignal.abort(reason), work)).rejects.toBe(reason)
    expect(began).toBe(false)
  })
})

describe('a pause', () => {
  it('lasts its time', async () => {
    const clock = new FakeClock()
    const { signal } = abortableUnder()
    let over = false
    const paused = pause(clock, 100, signal).then(() => {
      over = true
    })
    await clock.advance(99)
    expect(over).toBe(false)
    await clock.advance(1)
    await paused
    expect([over, clock.pending, listeners(signal)]).toEqual([true, 0, 0])
  })

  it('ends with the abort, and leaves no timer', async () => {
    const clock = new FakeClock()
    const { signal, abort } = abortableUnder()
    const paused = pause(clock, 100, signal)
    await clock.advance(1)
    abort(reason)
    await expect(paused).rejects.toBe(reason)
    expect(clock.pending).toBe(0)
  })

  it('passes on whether it keeps the process alive', async () => {
    const kinds: unknown[] = []
    const clock = new FakeClock()
    const schedule = (_: number, go: () => void, kind?: 'background') => {
      kinds.push(kind)
      go()
      return () => {}
    }
    const watched = { now: () => clock.now(), monotonic: () => clock.monotonic(), schedule }
    await pause(watched, 1, abortableUnder().signal, 'background')
    await pause(watched, 1, abortableUnder().signal)
    expect(kinds).toEqual(['background', undefined])
  })
})

it.each<[string, AbortSignal | undefined, boolean]>([
  ['no signal', undefined, false],
  ['one that has not aborted', new AbortController().signal, false],
  ['a plain abort', AbortSignal.abort(), true],
  ['a reason in words', AbortSignal.abort('the user said so'), true],
  [
    'an AbortError of somebody else',
    AbortSignal.abort(Object.assign(new Error('x'), { name: 'AbortError' })),
    true,
  ],
  ['a lost connection', AbortSignal.abort(new Error('Connection closed')), false],
])('whether the caller cancelled: %s', (_, signal, cancelled) => {
  expect(isCancelled(signal)).toBe(cancelled)
})

describe('a signal that is made when it is asked for', () => {
  it('aborts whoever asked before', () => {
    const lazy = new LazyAbort()
    const { signal } = lazy
    expect(lazy.signal).toBe(signal)
    expect(signal.aborted).toBe(false)
    lazy.abort(reason)
    expect([signal.aborted, signal.reason]).toEqual([true, reason])
  })

  it.each<[string, unknown]>([
    ['an error', reason],
    ['no words', ''],
  ])('is aborted already for whoever asks later, by the first reason: %s', (_, given) => {
    const lazy = new LazyAbort()
    lazy.abort(given)
    lazy.abort(new Error('later'))
    expect([lazy.signal.aborted, lazy.signal.reason]).toEqual([true, given])
  })
})
