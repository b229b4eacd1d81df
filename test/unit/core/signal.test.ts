import { expect, it } from 'vitest'
import { Signal } from '../../../src/core/signal.ts'

/** Whether somebody who waits for the next change still does. */
async function waits(next: Promise<void>): Promise<boolean> {
  const still = Symbol()
  return (await Promise.race([next, Promise.resolve(still)])) === still
}

it('waits for the next change', async () => {
  const signal = new Signal()
  const next = signal.next()
  expect(await waits(next)).toBe(true)
  signal.notify()
  expect(await waits(next)).toBe(false)
  expect(await waits(signal.next())).toBe(true)
})

it('keeps a change that comes while nobody waits; several count as one', async () => {
  const signal = new Signal()
  signal.notify()
  signal.notify()
  expect(await waits(signal.next())).toBe(false)
  expect(await waits(signal.next())).toBe(true)
})

it('wakes everybody who waits, once each', async () => {
  const signal = new Signal()
  const waiting = [signal.next(), signal.next(), signal.next()]
  signal.notify()
  expect(await Promise.all(waiting.map(waits))).toEqual([false, false, false])
  expect(await waits(signal.next())).toBe(true)
})
