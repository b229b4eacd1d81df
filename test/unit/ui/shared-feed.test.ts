import { expect, it } from 'vitest'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { SharedFeed } from '../../../src/ui/server/shared-feed.ts'

it('the feed of the pages says that something may be missing after an error', async () => {
  const clock = new FakeClock()
  let isAway = false
  const next = async () => {
    if (isAway) throw new Error('away')
    return { isComplete: true, changed: [], deleted: ['t:1'] }
  }
  const feed = new SharedFeed(next, clock)
  const { cursor } = await feed.look(undefined)
  const look = async (since: number) => {
    await clock.advance('300ms')
    return feed.look(since)
  }
  const before = await look(cursor)
  expect(before).toMatchObject({ isComplete: true, deleted: ['t:1'] })
  isAway = true
  await expect(look(before.cursor)).rejects.toThrow('away')
  isAway = false
  const after = await look(before.cursor)
  expect(after.isComplete).toBe(false)
  expect(await look(after.cursor)).toMatchObject({ isComplete: true, deleted: ['t:1'] })
})
