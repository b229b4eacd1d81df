import { describe, expect, it } from 'vitest'
import { Backoff, backoffDelay, retryWhileAway, untilStored, withJitter } from '../../../src/core/backoff.ts'
import { NotFound, StoreFull, StoreUnavailable } from '../../../src/core/errors.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

describe('a backoff', () => {
  it('doubles up to its limit, and begins anew when it is reset', () => {
    const backoff = new Backoff({ firstMs: 250, maxMs: 1_500 })
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([250, 500, 1_000, 1_500, 1_500])
    backoff.reset()
    expect([backoff.next(), backoff.next()]).toEqual([250, 500])
  })

  it('takes another factor, and any number of tries', () => {
    const options = { firstMs: 10, maxMs: 1_000, factor: 3 }
    expect([0, 1, 2, 10_000].map(tries => backoffDelay(options, tries))).toEqual([10, 30, 90, 1_000])
    expect(backoffDelay({ firstMs: 10, maxMs: 1_000, factor: 1 }, 7)).toBe(10)
  })

  it('has jitter in its upper half', () => {
    expect([0, 0.5, 0.999_999].map(random => Math.round(withJitter(1_000, random)))).toEqual([
      500, 750, 1_000,
    ])
  })
})

describe('a step that needs the store', () => {
  /** A step that fails so often because the store is away. */
  function scene(fails: number) {
    const clock = new FakeClock()
    const controller = new AbortController()
    let tries = 0
    const step = async () => {
      if (tries++ < fails) throw new StoreUnavailable('away')
      return 'done'
    }
    const outcome = retryWhileAway(step, clock, controller.signal).catch(error => error)
    return { clock, outcome, abort: (reason: Error) => controller.abort(reason), tries: () => tries }
  }

  it('is run again each second while the store is away', async () => {
    const { clock, outcome, tries } = scene(3)
    await clock.advance('2999ms')
    expect(tries()).toBe(3)
    await clock.advance('1ms')
    expect([await outcome, tries(), clock.pending]).toEqual(['done', 4, 0])
  })

  it('is given up when the signal aborts', async () => {
    const { clock, outcome, tries, abort } = scene(Number.POSITIVE_INFINITY)
    await clock.advance('1500ms')
    const reason = new Error('No longer wanted.')
    abort(reason)
    expect([await outcome, tries(), clock.pending]).toEqual([reason, 2, 0])
  })

  it('fails at once with any other error', async () => {
    const failure = new NotFound()
    const { signal } = new AbortController()
    const outcome = retryWhileAway(() => Promise.reject(failure), new FakeClock(), signal)
    await expect(outcome).rejects.toBe(failure)
  })
})

describe('a write', () => {
  const away = new StoreUnavailable('away')
  const full = new StoreFull('full')

  /** A write that fails by these errors, one after the other, and then is stored. */
  function scene(...failures: readonly Error[]) {
    const clock = new FakeClock()
    const controller = new AbortController()
    const heard: StoreUnavailable[] = []
    let tries = 0
    const step = async () => {
      const failure = failures[tries++]
      if (failure) throw failure
      return 'stored'
    }
    const outcome = untilStored(step, {
      ...{ clock, signal: controller.signal },
      tryFullUntil: fullSince => fullSince + 1_000,
      onFailure: failure => void heard.push(failure),
    }).catch(error => error)
    return { clock, outcome, heard, abort: () => controller.abort(), tries: () => tries }
  }

  it('is tried until the store takes it, after longer and longer pauses, and each failure is told', async () => {
    const { clock, outcome, heard, tries } = scene(away, away, away)
    await clock.advance(250 + 500 + 1_000 - 1)
    expect(tries()).toBe(3)
    await clock.advance(1)
    expect([await outcome, tries(), heard]).toEqual(['stored', 4, [away, away, away]])
  })

  it('to a store that is full is given up once that has lasted too long, counted from when it was full', async () => {
    const { clock, outcome, tries } = scene(away, away, full, full, full, full)
    // Full since 750 ms; tried at 1,750 for the last time.
    await clock.advance(1_749)
    expect(tries()).toBe(3)
    await clock.advance(1)
    expect([await outcome, tries(), clock.pending]).toEqual([full, 4, 0])
  })

  it('to a store that is full is tried again before that', async () => {
    const { clock, outcome, tries } = scene(full, full)
    await clock.advance(750)
    expect([await outcome, tries()]).toEqual(['stored', 3])
  })

  it('ends with the trouble of the store where nobody waits any more', async () => {
    const { clock, outcome, abort, tries } = scene(away, away)
    await clock.advance(100)
    abort()
    expect([await outcome, tries(), clock.pending]).toEqual([away, 1, 0])
  })

  it('fails at once with any other error, of which nothing is told', async () => {
    const failure = new NotFound()
    const { outcome, heard, tries } = scene(failure)
    expect([await outcome, tries(), heard]).toEqual([failure, 1, []])
  })
})
