import { expect, it } from 'vitest'
import { FakeClock } from '../../src/testing/index.ts'

it('stands still until it is moved', async () => {
  const clock = new FakeClock(1000)
  expect(clock.now()).toBe(1000)
  await clock.advance('2s')
  expect(clock.now()).toBe(3000)
})

it('runs timers in order, each at its own time, and equal ones as they were scheduled', async () => {
  const clock = new FakeClock(0)
  const ran: [string, number][] = []
  const note = (name: string) => () => void ran.push([name, clock.now()])
  clock.schedule(20, note('third'))
  clock.schedule(10, note('first'))
  clock.schedule(10, note('second'))
  clock.schedule(31, note('later'))
  await clock.advance(30)
  expect(ran).toEqual([
    ['first', 10],
    ['second', 10],
    ['third', 20],
  ])
  expect(clock.pending).toBe(1)
  await clock.advance(1)
  expect(ran.at(-1)).toEqual(['later', 31])
  expect(clock.pending).toBe(0)
})

it('runs what timers schedule while it moves, and not what they cancel', async () => {
  const clock = new FakeClock(0)
  const ran: number[] = []
  const every = () => {
    ran.push(clock.now())
    clock.schedule(10, every)
  }
  clock.schedule(10, every)
  const cancel = clock.schedule(15, () => ran.push(-1))
  clock.schedule(12, cancel)
  await clock.advance(35)
  expect(ran).toEqual([10, 20, 30])
})

it('lets promises and macrotasks come to their end between timers', async () => {
  const clock = new FakeClock(0)
  const seen: string[] = []
  clock.schedule(10, async () => {
    await Promise.resolve()
    await new Promise(resolve => setImmediate(resolve))
    seen.push(`work done at ${clock.now()}`)
  })
  clock.schedule(20, () => void seen.push('next timer'))
  await clock.advance(20)
  expect(seen).toEqual(['work done at 10', 'next timer'])
})

it('fails with what a timer throws', async () => {
  const clock = new FakeClock()
  clock.schedule(1, () => {
    throw new Error('broke')
  })
  await expect(clock.advance(1)).rejects.toThrow('broke')
})
