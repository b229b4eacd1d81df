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

describe('moments as dates', () => {
  it.each([0, Date.UTC(2030, 0, 1), 8.64e15, 1e20, Number.POSITIVE_INFINITY, -1e20])(
    '%d is a valid one',
    ms => {
      expect(toDate(ms).toISOString()).toMatch(/Z$/)
    },
  )
})
