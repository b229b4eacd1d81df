import { describe, expect, it, vi } from 'vitest'
import { Timers } from '../../../src/core/timers.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const due = () => ({ onDue: vi.fn() })

describe('many waits', () => {
  it('that are equally long take one timer of the clock, and end in the order in which they began', async () => {
    const clock = new FakeClock()
    const timers = new Timers(clock)
    const ended: number[] = []
    for (let n = 0; n < 1_000; n++) timers.begin(60_000, { onDue: () => ended.push(n) })
    await clock.advance('30s')
    for (let n = 1_000; n < 2_000; n++) timers.begin(60_000, { onDue: () => ended.push(n) })
    expect(clock.pending).toBe(1)
    await clock.advance('30s')
    expect(ended).toHaveLength(1_000)
    await clock.advance('30s')
    expect(ended).toEqual(Array.from({ length: 2_000 }, (_, n) => n))
    expect(clock.pending).toBe(0)
  })

  it('of different lengths each end at their time', async () => {
    const clock = new FakeClock()
    const timers = new Timers(clock)
    const [long, short] = [due(), due()]
    timers.begin(2_000, long)
    await clock.advance(500)
    timers.begin(1_000, short)
    await clock.advance(999)
    expect(short.onDue).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(short.onDue).toHaveBeenCalledOnce()
    expect(long.onDue).not.toHaveBeenCalled()
    await clock.advance(500)
    expect(long.onDue).toHaveBeenCalledOnce()
  })

  it('that are over at once let others have their turn between them', async () => {
    const clock = new FakeClock()
    const timers = new Timers(clock)
    let [most, ended] = [0, 0]
    for (let n = 0; n < 1_000; n++) {
      timers.begin(1_000, {
        onDue: () => {
          if (ended++ === 0) setImmediate(() => (most = ended))
        },
      })
    }
    await clock.advance(1_000)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(500)
    expect(ended).toBe(1_000)
  })
})

describe('a wait that is ended early', () => {
  it('hears nothing, nor do the others miss anything', async () => {
    const clock = new FakeClock()
    const timers = new Timers(clock)
    const [first, second, third] = [due(), due(), due()]
    const waits = [first, second, third].map(one => timers.begin(1_000, one))
    waits[0]?.end()
    waits[0]?.end()
    waits[2]?.end()
    await clock.advance(1_000)
    expect(second.onDue).toHaveBeenCalledOnce()
    expect(first.onDue).not.toHaveBeenCalled()
    expect(third.onDue).not.toHaveBeenCalled()
    waits[1]?.end()
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer when it was the last one', () => {
    const clock = new FakeClock()
    const wait = new Timers(clock).begin(1_000, due())
    wait.end()
    expect(clock.pending).toBe(0)
  })

  it('may be ended by one that is over at the same time', async () => {
    const clock = new FakeClock()
    const timers = new Timers(clock)
    const last = due()
    const waits = [timers.begin(1_000, { onDue: () => waits[1]?.end() }), timers.begin(1_000, last)]
    await clock.advance('1h')
    expect(last.onDue).not.toHaveBeenCalled()
    expect(clock.pending).toBe(0)
  })
})

it('a wait that begins another one of its length when it is over goes on so', async () => {
  const clock = new FakeClock()
  const timers = new Timers(clock)
  let times = 0
  const again = { onDue: () => void (++times < 5 && timers.begin(1_000, again)) }
  timers.begin(1_000, again)
  await clock.advance('10s')
  expect(times).toBe(5)
  expect(clock.pending).toBe(0)
})

it('one that fails when it is over keeps nobody else waiting', async () => {
  const clock = new FakeClock()
  const timers = new Timers(clock)
  const next = due()
  timers.begin(1_000, {
    onDue: () => {
      throw new Error('broken')
    },
  })
  timers.begin(1_000, next)
  await expect(clock.advance(1_000)).rejects.toThrow('broken')
  await clock.advance(0)
  expect(next.onDue).toHaveBeenCalledOnce()
})
