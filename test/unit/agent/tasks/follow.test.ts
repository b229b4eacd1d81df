import { expect, it, onTestFinished } from 'vitest'
import { actor } from '../../../../src/access/actor.ts'
import { followTask } from '../../../../src/agent/tasks/follow.ts'
import type { Task } from '../../../../src/agent/tasks/task.ts'
import { TaskView } from '../../../../src/agent/tasks/view.ts'
import { NotFound, StoreUnavailable } from '../../../../src/core/errors.ts'
import { RefCache } from '../../../../src/ref-cache.ts'
import { ADAPTERS, type AdapterAccess } from '../../../../src/ref-cache-adapters.ts'
import { FakeClock } from '../../../../src/testing/fake-clock.ts'

/** A task that somebody follows, over reads that the test can have fail. */
async function scene() {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock })
  onTestFinished(() => cache.close())
  const { refId } = await cache.cached({ name: 'tool', asyncTimeout: 0 }, () => new Promise(() => {}))({})
  await clock.advance(0)
  const trouble: { read?: Error; tell?: Error } = {}
  const unreliable = {
    watch: cache.watch.bind(cache),
    [ADAPTERS]: {
      taskInfo: async (...given: Parameters<AdapterAccess['taskInfo']>) => {
        if (trouble.read) throw trouble.read
        return cache[ADAPTERS].taskInfo(...given)
      },
    },
  } as unknown as RefCache
  const told: string[] = []
  const tell = ({ status }: Task) => {
    if (trouble.tell) throw trouble.tell
    told.push(status)
  }
  const view = new TaskView(unreliable, refId, actor.agent())
  const following = followTask(view, task => task.read(), tell, clock)
  let over = false
  void following.over.then(() => {
    over = true
  })
  await clock.advance(0)
  return { clock, trouble, told, following, cancel: () => cache.cancelTask(refId), isOver: () => over }
}

it('goes on where a read fails because the store is away', async () => {
  const { clock, trouble, told, cancel, isOver } = await scene()
  trouble.read = new StoreUnavailable('away')
  await cancel()
  await clock.advance('10s')
  expect([told, isOver()]).toEqual([['working'], false])
  delete trouble.read
  await clock.advance('1s')
  expect([told, isOver()]).toEqual([['working', 'cancelled'], true])
})

it('tells again what could not be told because the store was away', async () => {
  const { clock, trouble, told, cancel, isOver } = await scene()
  trouble.tell = new StoreUnavailable('away')
  await cancel()
  await clock.advance('10s')
  expect([told, isOver()]).toEqual([['working'], false])
  delete trouble.tell
  await clock.advance('1s')
  expect([told, isOver()]).toEqual([['working', 'cancelled'], true])
})

it('can be left while the store is away', async () => {
  const { clock, trouble, cancel, following, isOver } = await scene()
  trouble.read = new StoreUnavailable('away')
  await cancel()
  await clock.advance(0)
  following.end()
  await clock.advance(0)
  expect(isOver()).toBe(true)
})

it('ends where the task is gone', async () => {
  const { clock, trouble, cancel, isOver } = await scene()
  trouble.read = new NotFound()
  await cancel()
  await clock.advance(0)
  expect(isOver()).toBe(true)
})
