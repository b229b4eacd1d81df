import { describe, expect, it, vi } from 'vitest'
import { type Actor, actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument, NotFound } from '../../../src/core/errors.ts'
import type { TaskList } from '../../../src/flow/operate/tasks.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { deferred, scene } from './scene.ts'

const ada = actor.user({ id: 'ada' })
const bob = actor.user({ id: 'bob' })

const refIdsOf = ({ tasks }: TaskList) => tasks.map(({ response }) => response.refId)

/** A tool whose calls each stay in flight or settle, as their input says. */
function tasks(store = memoryStore({ maxEntries: 20_000 })) {
  const { cache, clock } = scene({ store })
  const tool = cache.cached(
    { name: 'work', asyncTimeout: 0, ttl: '1h' },
    ({ end }: { n: number; end?: 'done' | 'failed' }) => {
      if (end === 'done') return 'value'
      if (end === 'failed') throw new Error('no')
      return new Promise(() => {})
    },
  )
  let n = 0
  const start = async (who: Actor, end?: 'done' | 'failed') =>
    (await tool({ n: n++, ...(end ? { end } : {}) }, { actor: who })).refId
  const all = async (who: Actor, limit?: number) => {
    const found: string[] = []
    const cursors: string[] = []
    let page = await cache.listTasks({ actor: who, limit })
    for (;;) {
      found.push(...refIdsOf(page))
      if (page.nextCursor === undefined) return { found, cursors }
      cursors.push(page.nextCursor)
      page = await cache.listTasks({ actor: who, limit, cursor: page.nextCursor })
    }
  }
  return { cache, clock, store, start, all }
}

describe('listTasks', () => {
  it('lists the tasks that the actor started, in flight and settled, and nobody else’s', async () => {
    const { cache, clock, start } = tasks()
    const mine = [await start(ada), await start(ada, 'done'), await start(ada, 'failed')]
    const cancelled = await start(ada)
    await cache.cancelTask(cancelled, { actor: ada })
    await start(bob)
    await cache.set('no task', 1, { actor: ada, toolName: 'work' })
    await clock.advance(0)
    const list = await cache.listTasks({ actor: ada })
    expect(refIdsOf(list).sort()).toEqual([...mine, cancelled].sort())
    expect(list).not.toHaveProperty('nextCursor')
    expect(list.tasks.map(({ response }) => response.status).sort()).toEqual([
      'cancelled',
      'complete',
      'failed',
      'processing',
    ])
    // Not even to the host program: it started none of them.
    expect(refIdsOf(await cache.listTasks({ actor: actor.system() }))).toEqual([])
  })

  it('tells sessions of nobody in particular apart', async () => {
    const { cache, start } = tasks()
    const one = actor.agent({ sessionId: 'one' })
    const refId = await start(one)
    expect(refIdsOf(await cache.listTasks({ actor: one }))).toEqual([refId])
    expect(refIdsOf(await cache.listTasks({ actor: actor.agent({ sessionId: 'two' }) }))).toEqual([])
    expect(refIdsOf(await cache.listTasks())).toEqual([])
  })

  it('leaves out what the actor may not know of, and what has expired', async () => {
    const { cache, clock, start } = tasks()
    const hidden = cache.cached({ name: 'hidden', asyncTimeout: 0, policy: AccessPolicy.userOnly }, () => 1)
    const agent = actor.agent({ id: 'helper' })
    await hidden({}, { actor: agent }).catch(() => {})
    await start(agent, 'done')
    await clock.advance(0)
    expect((await cache.listTasks({ actor: agent })).tasks).toHaveLength(1)
    clock.jump(60 * 60 * 1000)
    expect((await cache.listTasks({ actor: agent })).tasks).toEqual([])
  })

  it('gives each task once, over pages of any size', async () => {
    const { start, all } = tasks()
    const mine: string[] = []
    for (let n = 0; n < 25; n++) {
      mine.push(await start(ada))
      await start(bob)
    }
    for (const limit of [1, 7, 25, 100])
      expect((await all(ada, limit)).found).toEqual([...mine].sort().reverse())
  })

  it('reads a bounded part of the store in one call, and says where to go on', async () => {
    const { cache, store, start, all } = tasks()
    const mine = await start(ada)
    for (let n = 0; n < 4_100; n++) await cache.set('v', n)
    const list = vi.spyOn(store, 'list')
    const { found, cursors } = await all(ada)
    expect(found).toEqual([mine])
    expect(cursors.length).toBeGreaterThanOrEqual(2)
    const read = await Promise.all(list.mock.results.map(({ value }) => value as Promise<unknown[]>))
    expect(Math.max(...read.map(({ length }) => length)) * 4).toBeLessThanOrEqual(2_000)
    expect(list.mock.calls.length).toBeLessThanOrEqual((cursors.length + 1) * 5)
  })

  it('gives nobody else’s reference away in a cursor', async () => {
    const { cache, all } = tasks()
    const strangers = await Promise.all(
      Array.from({ length: 2_100 }, async () => (await cache.set('v', 1)).refId),
    )
    const { cursors } = await all(ada)
    expect(cursors).toHaveLength(1)
    const [hex = '', again = ''] = await Promise.all(
      [cursors, (await all(ada)).cursors].map(([cursor = '']) =>
        Buffer.from(cursor, 'base64url').toString('hex'),
      ),
    )
    const common = strangers.map(refId => {
      const id = refId.slice(2)
      const inCursor = hex.slice(16)
      return [...id].findIndex((digit, at) => digit !== inCursor[at])
    })
    // No more of any of them than tells it from its neighbours, and not the same twice.
    expect(Math.max(...common)).toBeLessThan(8)
    expect(again).not.toBe(hex)
  })

  it('goes on in any process on the store, and refuses a cursor that was changed, or is of another cache', async () => {
    const store = memoryStore()
    const [one, two] = [scene({ store }).cache, scene({ store }).cache]
    const other = scene({ store, name: 'other' }).cache
    const tool = one.cached({ name: 'tool', memoize: false }, () => 1)
    for (let n = 0; n < 3; n++) await tool({}, { actor: ada })
    const { tasks, nextCursor: cursor = '' } = await one.listTasks({ actor: ada, limit: 2 })
    const rest = await two.listTasks({ actor: ada, cursor })
    expect([tasks.length, rest.tasks.length, rest.nextCursor]).toEqual([2, 1, undefined])
    const changed = [...cursor].map((letter, at) => {
      return cursor.slice(0, at) + (letter === 'A' ? 'B' : 'A') + cursor.slice(at + 1)
    })
    for (const wrong of [...changed, `${cursor}=`, `${cursor}A`, cursor.slice(1)]) {
      await expect(one.listTasks({ actor: ada, cursor: wrong })).rejects.toBeInstanceOf(InvalidArgument)
    }
    await expect(other.listTasks({ actor: ada, cursor })).rejects.toBeInstanceOf(InvalidArgument)
  })

  it.each(['', 'nonsense', 't:', `t:${'0'.repeat(32)}`, `other:${'0'.repeat(12)}`, `t:${'z'.repeat(12)}`, 7])(
    'refuses the cursor %j',
    async cursor => {
      const { cache } = tasks()
      await expect(cache.listTasks({ cursor: cursor as string })).rejects.toBeInstanceOf(InvalidArgument)
    },
  )

  it.each([0, -1, 1.5, Number.NaN])('refuses the limit %d', async limit => {
    const { cache } = tasks()
    await expect(cache.listTasks({ limit })).rejects.toBeInstanceOf(InvalidArgument)
  })
})

describe('taskInfo', () => {
  it('says since when a task is as it is, and until when it is kept', async () => {
    const { cache, clock } = scene()
    const work = deferred()
    const tool = cache.cached(
      { name: 'work', asyncTimeout: 0, ttl: '1h', responseFormat: 'minimal' },
      () => work.promise,
    )
    const created = new Date(clock.now())
    const { refId } = await tool({})
    await clock.advance('2s')
    const flying = await cache[ADAPTERS].taskInfo(refId)
    expect(flying).toMatchObject({ createdAt: created, updatedAt: created, toolName: 'work' })
    expect(flying).not.toHaveProperty('expiresAt')
    // What a protocol needs does not depend on how talkative the tool is.
    expect(flying.response).toHaveProperty('pollAfterSeconds')
    work.resolve('done')
    await clock.advance(0)
    expect(await cache[ADAPTERS].taskInfo(refId)).toMatchObject({
      response: { status: 'complete', isComplete: false },
      createdAt: created,
      updatedAt: new Date(created.getTime() + 2_000),
      expiresAt: new Date(created.getTime() + 3_602_000),
    })
  })

  it('says when it last changed, which never runs backwards', async () => {
    const { cache, clock } = scene()
    const start = clock.now()
    const tool = cache.cached({ name: 'work', asyncTimeout: 0, maxRetries: 1 }, async (_: object, task) => {
      await task.elicit({ message: 'a', requestedSchema: {} })
      if (task.attempt === 1) throw new Error('once more')
      task.progress(1, 2)
      return new Promise(() => {})
    })
    const { refId } = await tool({}, { interactive: true })
    const secondsLater = async () =>
      (Number((await cache[ADAPTERS].taskInfo(refId)).updatedAt) - start) / 1_000
    expect(await secondsLater()).toBe(0)
    await clock.advance('30s')
    // Signs of life are no change.
    expect(await secondsLater()).toBe(0)
    await cache.answerTask(refId, { 'elicit-1': { action: 'accept' } })
    await clock.advance(0)
    expect(await cache[ADAPTERS].taskInfo(refId)).toMatchObject({ response: { status: 'pending' } })
    expect(await secondsLater()).toBe(30)
    await clock.advance('10s')
    const reported = await secondsLater()
    expect(reported).toBeGreaterThan(30)
    await clock.advance('10s')
    // A wall clock that is set back does not turn the cache's own back.
    clock.jump(-30_000)
    await cache.cancelTask(refId)
    expect(await secondsLater()).toBe(50)
    clock.jump(30_000)
    await cache.retryTask(refId)
    expect(await secondsLater()).toBe(50)
  })

  it('is for whoever may know of the task', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1, { namespace: 'user:ada' })
    expect(await cache[ADAPTERS].taskInfo(refId, { actor: ada })).toMatchObject({ response: { refId } })
    await expect(cache[ADAPTERS].taskInfo(refId, { actor: bob })).rejects.toBeInstanceOf(NotFound)
    await expect(cache[ADAPTERS].taskInfo('nonsense')).rejects.toBeInstanceOf(NotFound)
  })
})
