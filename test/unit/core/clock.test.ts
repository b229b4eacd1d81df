import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock, toDate } from '../../../src/core/clock.ts'

const DAY = 86_400_000

describe('the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([20, 25, 30, 365])('fires once after %d days, not before', days => {
    const fired = vi.fn()
    systemClock.schedule(days * DAY, fired)
    vi.advanceTimersByTime(days * DAY - 1)
    expect(fired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(fired).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(days * DAY)
    expect(fired).toHaveBeenCalledOnce()
  })

  it('cancels a delay of which a part is over', () => {
    const fired = vi.fn()
    const cancel = systemClock.schedule(60 * DAY, fired)
    vi.advanceTimersByTime(30 * DAY)
    cancel()
    vi.advanceTimersByTime(60 * DAY)
    expect(fired).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the time', () => {
  it('is that of the machine, and durations go on evenly', () => {
    const [before, from] = [Date.now(), systemClock.monotonic()]
    expect(systemClock.now()).toBeGreaterThanOrEqual(before)
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(from)
  })

  it('that a background timer waits for keeps no process alive; that of a caller does', () => {
    const keepingAlive = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = keepingAlive()
    const ends = [systemClock.schedule(DAY, () => {}, 'background')]
    expect(keepingAlive()).toBe(before)
    ends.push(systemClock.schedule(DAY, () => {}))
    expect(keepingAlive()).toBe(before + 1)
    for (const end of ends) end()
  })
})

describe('moments as dates', () => {
  it('are those of the limits beyond them', () => {
    expect([-1e20, 1e20, 5].map(ms => toDate(ms).getTime())).toEqual([-8.64e15, 8.64e15, 5])
  })

  it.each([0, Date.UTC(2030, 0, 1), 8.64e15, 1e20, Number.POSITIVE_INFINITY, -1e20])(
    '%d is a valid one',
    ms => {
      expect(toDate(ms).toISOString()).toMatch(/Z$/)
    },
  )
})
