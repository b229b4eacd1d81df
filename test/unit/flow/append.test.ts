import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import type { ToolOptions } from '../../../src/core/tool-options.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countingStore } from '../../counting-store.ts'
import { deferred } from './scene.ts'

const ada = actor.user({ id: 'ada' })

/** A cache, and another process on the same store. */
function scene() {
  const clock = new FakeClock()
  const medium = memoryStore()
  const { store, during } = countingStore(medium)
  const cache = new RefCache({ name: 't', clock, store })
  const elsewhere = new RefCache({ name: 't', clock, store: medium })
  return { clock, store, during, cache, elsewhere }
}

/** A tool whose handler does what the test says, step by step. */
function stepped(cache: RefCache, options: Partial<ToolOptions> = {}) {
  let given = deferred<TaskContext>()
  let gate = deferred()
  const tool = cache.cached<Record<string, never>, unknown>(
    { asyncTimeout: 0, maxRetries: 0, ...options, name: 'crawl' } as ToolOptions<Record<string, never>>,
    (_, task) => {
      given.resolve(task)
      return gate.promise
    },
  )
  const again = () => {
    given = deferred()
    gate = deferred()
  }
  return {
    tool,
    task: () => given.promise,
    end: (value?: unknown) => gate.resolve(value),
    fail: (error: unknown) => gate.reject(error),
    /** The next run has steps of its own. */
    again,
  }
}

/** A task that has begun. */
async function begun(options: Partial<ToolOptions> = {}) {
  const all = scene()
  const handler = stepped(all.cache, options)
  const { refId } = await handler.tool({}, { actor: ada })
  return { ...all, ...handler, refId, task: await handler.task(), nextTask: handler.task }
}

describe('a value that grows', () => {
  it('is there for every process, with how much there is, and ends with what the handler returns', async () => {
    const { elsewhere, refId, task, end, cache, clock } = await begun()
    await task.append([{ n: 1 }, { n: 2 }])
    expect(await elsewhere.get(refId)).toMatchObject({ status: 'processing', available: 2, isGrowing: true })
    expect(await elsewhere.get(refId, { page: 1 })).toMatchObject({
      status: 'processing',
      isComplete: false,
      isGrowing: true,
      available: 2,
      preview: [{ n: 1 }, { n: 2 }],
      page: 1,
      totalPages: 1,
    })
    await task.append([{ n: 3 }])
    await clock.advance('100ms')
    expect(await elsewhere.get(refId)).toMatchObject({ available: 3 })
    expect(await elsewhere.get(`${refId}#/2/n`)).toMatchObject({
      refId: `${refId}#/2/n`,
      preview: 3,
      isGrowing: true,
    })
    end([{ n: 4 }])
    await clock.advance(0)
    const whole = await elsewhere.get(refId, { wait: '1s' })
    expect(whole).toMatchObject({ status: 'complete', value: [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }] })
    expect(whole).not.toHaveProperty('available')
    expect(await cache.resolve(refId)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])
  })

  it('may be a text, whose lines can be read', async () => {
    const { elsewhere, refId, task, end, clock } = await begun()
    await task.append('one\ntwo\nthr')
    expect(await elsewhere.get(refId)).toMatchObject({ available: 3 })
    expect(await elsewhere.get(`${refId}#L2`)).toMatchObject({ preview: 'two', isGrowing: true })
    await task.append('ee\n')
    end()
    await clock.advance(0)
    expect(await elsewhere.resolve(refId)).toBe('one\ntwo\nthree\n')
  })

  it('of some megabytes is read from its segments, and is the same at the end', async () => {
    const { elsewhere, refId, task, end, clock } = await begun()
    const all: JsonValue[] = []
    for (let part = 0; part < 12; part++) {
      const rows = Array.from({ length: 2_000 }, (_, n) => ({
        id: part * 2_000 + n,
        note: 'a row of some length 🎉'.repeat(3),
      }))
      all.push(...rows)
      await task.append(rows)
      await clock.advance('100ms')
    }
    const page = await elsewhere.get(refId, { page: 240, pageSize: 10 })
    expect(page).toMatchObject({
      preview: all.slice(2390, 2400),
      isGrowing: true,
      available: 24_000,
      totalPages: 2_400,
    })
    end()
    await clock.advance(0)
    expect(await elsewhere.resolve(refId, { wait: '1s' })).toEqual(all)
  })

  it('ends with nothing or more of its kind; anything else fails the task, and a mixture does', async () => {
    for (const [first, last, message] of [
      [[1], { rows: 1 }, 'has appended items'],
      [[1], 'text', 'has appended items'],
      [[1], null, 'has appended items'],
      ['text', ['item'], 'has appended text'],
    ] as const) {
      const { refId, task, end, cache, clock } = await begun()
      await task.append(first)
      end(last)
      await clock.advance(0)
      expect(await cache.get(refId)).toMatchObject({
        status: 'failed',
        errorCode: 'invalid_argument',
        error: expect.stringContaining(message),
        partial: true,
      })
    }
    const { refId, task, end, cache, clock } = await begun()
    await task.append([1])
    await expect(task.append('text')).rejects.toMatchObject({ code: 'invalid_argument' })
    end()
    await clock.advance(0)
    expect(await cache.get(refId)).toMatchObject({
      status: 'failed',
      errorCode: 'invalid_argument',
      available: 1,
    })
    const nothing = await begun()
    await expect(nothing.task.append({ rows: [] } as never)).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  it('is nothing that a handler which never appends has to know of', async () => {
    const { refId, end, cache, clock } = await begun()
    expect(await cache.get(refId, { page: 1 })).not.toHaveProperty('available')
    end({ any: 'value' })
    await clock.advance(0)
    expect(await cache.resolve(refId)).toEqual({ any: 'value' })
  })
})

describe('what was appended stays', () => {
  it('when the task fails: pages and parts of it are ordinary answers', async () => {
    const { elsewhere, refId, task, fail, clock } = await begun()
    await task.append([1, 2])
    void task.append([3])
    fail(new Error('the site is down'))
    await clock.advance(0)
    expect(await elsewhere.get(refId, { actor: ada })).toMatchObject({
      status: 'failed',
      error: 'the site is down',
      available: 3,
      partial: true,
    })
    expect(await elsewhere.get(refId, { page: 1 })).toMatchObject({ partial: true, preview: [1, 2, 3] })
    expect(await elsewhere.get(`${refId}#/1`)).toMatchObject({ partial: true, preview: 2 })
    await expect(elsewhere.resolve(refId)).rejects.toMatchObject({ code: 'task_failed' })
    expect(await elsewhere.resolve(refId, { partial: true })).toEqual([1, 2, 3])
    expect(await elsewhere.resolve(`${refId}#/2`, { partial: true })).toBe(3)
  })

  it('when the task is cancelled; nothing is appended after that', async () => {
    const { elsewhere, cache, refId, task } = await begun()
    await task.append('one\n')
    await task.append('two\n')
    await cache.cancelTask(refId, { actor: ada })
    expect(await elsewhere.get(refId)).toMatchObject({ status: 'cancelled', available: 2, partial: true })
    expect(await elsewhere.get(refId, { full: true })).toMatchObject({ preview: 'one\ntwo\n', partial: true })
    await expect(task.append('three\n')).rejects.toBe(task.signal.reason)
    await expect(elsewhere.resolve(refId)).rejects.toMatchObject({ code: 'task_cancelled' })
    expect(await elsewhere.resolve(refId, { partial: true })).toBe('one\ntwo\n')
  })

  it('until another attempt appends its own: who reads sees the one or the other', async () => {
    const { elsewhere, refId, task, end, fail, again, clock, nextTask } = await begun({
      maxRetries: 1,
      retryDelay: '1s',
    })
    await task.append(['a1', 'a2', 'a3'])
    fail(new Error('once'))
    again()
    await clock.advance(0)
    expect(await elsewhere.get(refId)).toMatchObject({ status: 'pending', available: 3 })
    await clock.advance('2s')
    const second = await nextTask()
    expect(second.attempt).toBe(2)
    expect(await elsewhere.get(refId, { page: 1 })).toMatchObject({ preview: ['a1', 'a2', 'a3'] })
    await expect(task.append(['a4'])).rejects.toMatchObject({ code: 'invalid_argument' })
    await second.append(['b1'])
    expect(await elsewhere.get(refId, { page: 1 })).toMatchObject({ available: 1, preview: ['b1'] })
    end()
    await clock.advance(0)
    expect(await elsewhere.resolve(refId)).toEqual(['b1'])
  })
})

describe('what an append costs', () => {
  it('is one write of the entry each 100 ms, however much comes, and the last always lands', async () => {
    const { during, elsewhere, refId, task, end, clock } = await begun()
    const { operations } = await during(async () => {
      for (let n = 0; n < 1_000; n++) await task.append([n])
      await clock.advance('1s')
    })
    expect(operations).toEqual(['update', 'update'])
    expect(await elsewhere.get(refId)).toMatchObject({ available: 1_000 })
    const large = await during(async () => {
      for (let n = 0; n < 10; n++) await task.append([n, 'x'.repeat(100_000)])
    })
    expect(large.operations.filter(operation => operation === 'stage')).toHaveLength(9)
    expect(large.operations.filter(operation => operation !== 'stage').length).toBeLessThan(3)
    end()
    const settled = await during(() => clock.advance(0))
    expect(settled.operations).toEqual(['stage', 'update'])
  })

  it('is the claim before, where the call had no entry yet', async () => {
    const { cache, during, clock, elsewhere } = scene()
    const handler = stepped(cache, { asyncTimeout: '10s', memoize: false })
    const call = handler.tool({}, { claim: 'late', actor: ada })
    const task = await handler.task()
    const { operations } = await during(() => task.append([1]))
    expect(operations).toEqual(['claim', 'update'])
    const { entries } = await elsewhere.list()
    expect(await elsewhere.get(entries[0]?.refId as string)).toMatchObject({ available: 1 })
    handler.end([2])
    await clock.advance(0)
    expect(await call).toMatchObject({ status: 'complete', value: [1, 2] })
  })
})

describe('a poll that asks for what is not there yet', () => {
  it('waits for it, as long as it may', async () => {
    const { elsewhere, refId, task, clock } = await begun()
    await task.append([1, 2, 3])
    const page = elsewhere.get(refId, { page: 2, pageSize: 3, wait: '20s' })
    const item = elsewhere.get(`${refId}#/3`, { wait: '20s' })
    const never = elsewhere.get(refId, { page: 9, pageSize: 3, wait: '1s' })
    never.catch(() => {})
    await clock.advance('500ms')
    await task.append([4])
    expect(await page).toMatchObject({ preview: [4], isGrowing: true })
    expect(await item).toMatchObject({ preview: 4 })
    await clock.advance('1s')
    await expect(never).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('so far'),
    })
  })

  it('waits for the first piece, and gives what is there at once', async () => {
    const { elsewhere, refId, task, clock } = await begun()
    const waiting = elsewhere.get(refId, { page: 1, wait: '20s' })
    await clock.advance('1s')
    await task.append('some text')
    expect(await waiting).toMatchObject({ preview: 'some text', isGrowing: true })
    expect(await elsewhere.get(refId, { page: 1, wait: '20s' })).toMatchObject({ preview: 'some text' })
  })
})

describe('who may not READ', () => {
  it('sees nothing of it: no count, no page, no part', async () => {
    const { elsewhere, refId, task, fail, clock } = await begun({ policy: AccessPolicy.executeOnly })
    const plain = await elsewhere.get(refId)
    await task.append(['secret'])
    for (const options of [{}, { page: 1 }, { full: true }]) {
      const answer = await elsewhere.get(refId, options)
      expect(answer).toEqual(plain)
    }
    const part = await elsewhere.get(`${refId}#/0`)
    expect({ ...part, refId }).toEqual(plain)
    expect(await elsewhere.get(refId, { page: 1, actor: ada })).toMatchObject({ preview: ['secret'] })
    fail(new Error('secret'))
    await clock.advance(0)
    const failed = await elsewhere.get(refId, { page: 1 })
    expect(failed).not.toHaveProperty('available')
    expect(JSON.stringify(failed)).not.toContain('secret')
    await expect(elsewhere.resolve(refId, { partial: true })).rejects.toMatchObject({
      code: 'permission_denied',
    })
  })
})
