import { describe, expect, it } from 'vitest'
import { QueueSlot, TaskQueue, type Ticket } from '../../../src/flow/run/queue.ts'
import { Waits } from '../../../src/flow/run/waits.ts'
import { deferred } from './scene.ts'

const { signal } = new AbortController()
const entered = (ticket: Ticket | undefined): Ticket => ticket ?? expect.fail('the queue is full')

/** Whether a promise has resolved by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  void promise.then(
    () => (done = true),
    () => {},
  )
  await new Promise(setImmediate)
  return done
}

describe('a queue', () => {
  it('gives a tool at its limit its turn when one of its own ends, and not before, again and again', async () => {
    const queue = new TaskQueue(10, 10)
    let running = entered(queue.enter('a', 1))
    const other = entered(queue.enter('b', 1))
    for (let round = 0; round < 3; round++) {
      const next = entered(queue.enter('a', 1))
      expect([running.mayRun, next.mayRun]).toEqual([true, false])
      const another = entered(queue.enter('b'))
      another.leave()
      expect(next.mayRun).toBe(false)
      running.leave()
      expect(next.mayRun).toBe(true)
      await next.acquire(signal)
      running = next
    }
    expect(other.mayRun).toBe(true)
  })

  it('passes over a tool at its limit for another that may run', () => {
    const queue = new TaskQueue(2, 10)
    const [a, b] = [entered(queue.enter('a', 1)), entered(queue.enter('b', 1))]
    const [nextA, c] = [entered(queue.enter('a', 1)), entered(queue.enter('c'))]
    b.leave()
    expect([nextA.mayRun, c.mayRun]).toEqual([false, true])
    a.leave()
    expect(nextA.mayRun).toBe(true)
  })

  it('forgets who gave up while waiting: the place in the line is free, and nobody is served for them', () => {
    const queue = new TaskQueue(1, 1)
    const first = entered(queue.enter('a'))
    for (let round = 0; round < 3; round++) {
      const waiting = entered(queue.enter('a'))
      expect(queue.enter('a')).toBeUndefined()
      waiting.leave()
      waiting.leave()
    }
    const second = entered(queue.enter('a'))
    first.leave()
    expect(second.mayRun).toBe(true)
    second.leave()
    expect(entered(queue.enter('a')).mayRun).toBe(true)
  })

  it('gives a place that is left twice once', () => {
    const queue = new TaskQueue(1, 5)
    const first = entered(queue.enter('a'))
    const [second, third] = [entered(queue.enter('a')), entered(queue.enter('a'))]
    first.leave()
    first.leave()
    expect([first.mayRun, second.mayRun, third.mayRun]).toEqual([false, true, false])
  })

  it('rejects who is aborted while waiting, with the reason', async () => {
    const queue = new TaskQueue(1, 1)
    entered(queue.enter('a'))
    const giveUp = new AbortController()
    const turn = entered(queue.enter('a')).acquire(giveUp.signal)
    giveUp.abort(new Error('cancelled'))
    await expect(turn).rejects.toThrow('cancelled')
  })
})

describe('a task that steps aside', () => {
  it('counts as waiting, holds up no other, and has no turn before it asks for one', async () => {
    const queue = new TaskQueue(1, 1)
    const aside = entered(queue.enterAside('a'))
    expect(queue.enterAside('a')).toBeUndefined()
    expect(aside.mayRun).toBe(false)
    const other = entered(queue.enter('b'))
    expect(other.mayRun).toBe(true)
    const turn = aside.acquire(signal)
    expect(await isDone(turn)).toBe(false)
    other.leave()
    await turn
    expect(aside.mayRun).toBe(true)
    aside.leave()
    expect(aside.mayRun).toBe(false)
  })

  it('that leaves before its turn waits no more, however often it is left', () => {
    const queue = new TaskQueue(1, 1)
    for (let round = 0; round < 3; round++) {
      const aside = entered(queue.enterAside('a'))
      aside.leave()
      aside.leave()
    }
    entered(queue.enterAside('a'))
    expect(queue.enterAside('a')).toBeUndefined()
  })

  it('that has left asks for no turn', async () => {
    const queue = new TaskQueue(1, 5)
    const aside = queue.stepAside('a')
    aside.leave()
    await aside.acquire(signal)
    expect(entered(queue.enter('a')).mayRun).toBe(true)
  })

  it('waits once, also where it asks twice', async () => {
    const queue = new TaskQueue(1, 1)
    const running = entered(queue.enter('a'))
    const aside = entered(queue.enterAside('a'))
    const turns = [aside.acquire(signal), aside.acquire(signal)]
    running.leave()
    await Promise.all(turns)
    aside.leave()
    expect(entered(queue.enter('a')).mayRun).toBe(true)
  })
})

describe('a slot', () => {
  const slotOf = (queue: TaskQueue, name: string, before?: QueueSlot) =>
    new QueueSlot(undefined, queue, { name }, before)

  it('is given up and taken again at the end of the line', async () => {
    const queue = new TaskQueue(1, 5)
    const slot = slotOf(queue, 'a')
    await slot.acquire(signal)
    const other = slotOf(queue, 'a')
    const turn = other.acquire(signal)
    slot.leave()
    await turn
    const again = slot.acquire(signal)
    expect(await isDone(again)).toBe(false)
    other.leave()
    await again
  })

  it('that needs no place takes none', async () => {
    const queue = new TaskQueue(1, 5)
    const slot = slotOf(queue, 'a')
    slot.needsPlace = false
    await slot.acquire(signal)
    expect(entered(queue.enter('a')).mayRun).toBe(true)
  })

  it('steps aside for others, and still counts', async () => {
    const queue = new TaskQueue(1, 1)
    const slot = slotOf(queue, 'a')
    await slot.acquire(signal)
    slot.stepAside()
    expect(entered(queue.enter('b')).mayRun).toBe(true)
    expect(queue.enter('b')).toBeUndefined()
  })

  it('is taken after the one before it, and given up with it', async () => {
    const [first, second] = [new TaskQueue(1, 5), new TaskQueue(1, 5)]
    const blocker = entered(first.enter('a'))
    const slot = slotOf(second, 'a', slotOf(first, 'a'))
    const turn = slot.acquire(signal)
    expect(await isDone(turn)).toBe(false)
    // As long as it waits before, it takes no place behind.
    expect(entered(second.enter('b')).mayRun).toBe(true)
    blocker.leave()
    await isDone(turn)
    slot.leave()
    expect(entered(first.enter('c')).mayRun).toBe(true)
  })

  it('is given up when something is over, and the next turn has a place of its own', async () => {
    const [first, second] = [new TaskQueue(1, 5), new TaskQueue(2, 5)]
    const slot = slotOf(second, 'a', slotOf(first, 'a'))
    await slot.acquire(signal)
    const over = deferred<void>()
    slot.leaveAfter(over.promise)
    const waiting = [entered(first.enter('b')), entered(second.enter('b')), entered(second.enter('b'))]
    expect(waiting.map(({ mayRun }) => mayRun)).toEqual([false, true, false])
    over.resolve()
    await isDone(over.promise)
    expect(waiting.map(({ mayRun }) => mayRun)).toEqual([true, true, true])
  })
})

describe('a run that asks its user', () => {
  async function asking() {
    const queue = new TaskQueue(1, 5)
    const slot = new QueueSlot(undefined, queue, { name: 'a' })
    await slot.acquire(signal)
    const stop = new AbortController()
    return { queue, stop, waits: new Waits(slot, stop.signal) }
  }

  it('has no place while any question is open, and goes on when it has one again', async () => {
    const { queue, waits } = await asking()
    const [one, two] = [deferred<string>(), deferred<string>()]
    const answers = [waits.during(() => one.promise), waits.during(() => two.promise)]
    const other = entered(queue.enter('b'))
    expect(other.mayRun).toBe(true)
    one.resolve('first')
    // Another question is open: the answer is handed on, and the place stays with the other one.
    expect(await answers[0]).toBe('first')
    two.resolve('second')
    expect(await isDone(answers[1] as Promise<string>)).toBe(false)
    other.leave()
    expect(await answers[1]).toBe('second')
    expect(entered(queue.enter('c')).mayRun).toBe(false)
  })

  it('gives the place up again where it asked something while it came back', async () => {
    const { queue, waits } = await asking()
    const [one, two] = [deferred<string>(), deferred<string>()]
    const first = waits.during(() => one.promise)
    const other = entered(queue.enter('b'))
    one.resolve('first')
    await isDone(first)
    const second = waits.during(() => two.promise)
    other.leave()
    expect(await first).toBe('first')
    const third = entered(queue.enter('c'))
    expect(third.mayRun).toBe(true)
    third.leave()
    two.resolve('second')
    expect(await second).toBe('second')
    expect(entered(queue.enter('d')).mayRun).toBe(false)
  })

  it('comes back after a question that failed, too', async () => {
    const { queue, waits } = await asking()
    await expect(waits.during(() => Promise.reject(new Error('nobody there')))).rejects.toThrow(
      'nobody there',
    )
    expect(entered(queue.enter('b')).mayRun).toBe(false)
  })

  it('ends where it is stopped, and whoever waits for its end does not hear why', async () => {
    const { queue, stop, waits } = await asking()
    const one = deferred<string>()
    const asked = waits.during(() => one.promise)
    const other = entered(queue.enter('b'))
    one.resolve('answer')
    expect(await isDone(asked)).toBe(false)
    const end = waits.end()
    expect(await isDone(end)).toBe(false)
    stop.abort(new Error('stopped'))
    await expect(asked).rejects.toThrow('stopped')
    await end
    expect(other.mayRun).toBe(true)
  })

  it('takes no place any more once it was stopped', async () => {
    const { queue, stop, waits } = await asking()
    const one = deferred<string>()
    const asked = waits.during(() => one.promise)
    stop.abort(new Error('stopped'))
    one.resolve('answer')
    await expect(asked).rejects.toThrow('stopped')
    expect(entered(queue.enter('b')).mayRun).toBe(true)
  })
})
