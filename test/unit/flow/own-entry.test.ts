import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { ProtocolFailure, TaskFailed } from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { ToolOptions } from '../../../src/core/tool-options.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../../redis-server.ts'
import { deferred } from './scene.ts'

// A call that is given an entry of its own (`ownEntry`) although the work of another one answers it, as native tasks are.

let redis: RedisServer | undefined
beforeAll(async () => {
  if (redisIsInstalled) redis = await startRedis()
})
afterAll(() => redis?.stop())

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Each gives a way to open one store again, as after a restart. */
const STORES: Array<[string, () => () => Store]> = [
  [
    'SQLite',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-own-entry-'))
      ends.push(() => rmSync(folder, { recursive: true }))
      return () => sqliteStore(join(folder, 'cache.db'))
    },
  ],
  ...(redisIsInstalled
    ? [['Redis', () => () => redisStore(redis?.url ?? '')] as [string, () => () => Store]]
    : []),
]
const ALL: typeof STORES = [['memory', () => () => memoryStore()], ...STORES]

const ASK = { message: 'Go on?', requestedSchema: { type: 'object', properties: {} } }
const ada = actor.agent({ id: 'ada' })
const asTask = { actor: ada, asyncTimeout: 0, ownEntry: 'always', interactive: true } as const
const READ = { actor: ada, wait: '5s' } as const

let names = 0

/** A process, and a tool whose runs the test ends. */
function scene(store: Store, options: Partial<ToolOptions<object>> = {}, name = `t${++names}`) {
  const cache = new RefCache({ name, store, leaseDuration: '600ms', sweepInterval: '100ms' })
  ends.push(() => cache.close())
  const runs: Array<ReturnType<typeof deferred> & { task: TaskContext }> = []
  const tool = cache.cached<object>({ name: 'work', memoize: true, ...options }, (_, task) => {
    const run = { ...deferred(), task }
    runs.push(run)
    task.signal.addEventListener('abort', () => run.reject(task.signal.reason))
    return run.promise
  })
  const begun = (count = 1) => expect.poll(() => runs.length).toBe(count)
  return { cache, tool, runs, begun, name }
}

describe.each(ALL)('an entry of its own, on %s', (_, opener) => {
  it.each([
    ['joins a memoized call', { memoize: true }],
    ['joins a call of a tool that only reads', { memoize: false, readOnly: true }],
  ])('is given to a call that %s; the work runs once', async (_, options) => {
    const { cache, tool, runs, begun } = scene(opener()(), options)
    const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
    expect(second.refId).not.toBe(first.refId)
    await begun()
    runs[0]?.task.progress(1, 2, 'half of it')
    await expect
      .poll(() => cache.get(second.refId, { actor: ada }))
      .toMatchObject({ status: 'processing', progress: { message: 'half of it' } })
    runs[0]?.resolve({ n: 1 })
    expect(await cache.get(second.refId, READ)).toMatchObject({ refId: second.refId, value: { n: 1 } })
    expect(await cache.get(first.refId, READ)).toMatchObject({ refId: first.refId, value: { n: 1 } })
    expect(runs).toHaveLength(1)
  })

  it('is given to a call that hits, and says how old the result is', async () => {
    const { cache, tool, runs, begun } = scene(opener()())
    const first = tool({}, { actor: ada })
    await begun()
    runs[0]?.resolve('made')
    const { refId } = await first
    const second = await tool({}, asTask)
    expect(second.refId).not.toBe(refId)
    const answer = await cache.get(second.refId, READ)
    expect(answer).toMatchObject({ status: 'complete', value: 'made' })
    expect(answer).toHaveProperty('cachedAt', expect.any(Date))
    expect(runs).toHaveLength(1)
  })

  it('ends with the error of the work, its code and what it ended with', async () => {
    const { cache, tool, runs, begun } = scene(opener()(), { maxRetries: 0 })
    const failures = [
      new TaskFailed('no disk', { value: { free: 0 } }),
      new ProtocolFailure('no quota', { code: -7, data: { left: 0 } }),
    ]
    for (const [index, failure] of failures.entries()) {
      await tool({}, asTask)
      const { refId } = await tool({}, asTask)
      await begun(index + 1)
      runs[index]?.reject(failure)
      const { status, error, errorCode, errorRpc, errorValue } = (await cache.get(refId, READ)) as never
      expect({ status, error, errorCode }).toEqual({
        status: 'failed',
        error: failure.message,
        errorCode: failure.code,
      })
      if (failure instanceof TaskFailed) expect(errorValue).toMatchObject({ value: { free: 0 } })
      else expect(errorRpc).toEqual({ code: -7, data: { left: 0 } })
    }
    expect(runs).toHaveLength(2)
  })

  it('is cancelled without a word to the work that it follows', async () => {
    const { cache, tool, runs, begun } = scene(opener()())
    const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
    await begun()
    expect(await cache.cancelTask(second.refId, { actor: ada })).toMatchObject({ status: 'cancelled' })
    expect(runs[0]?.task.signal.aborted).toBe(false)
    runs[0]?.resolve(1)
    expect(await cache.get(first.refId, READ)).toMatchObject({ value: 1 })
    expect(await cache.get(second.refId, READ)).toMatchObject({ status: 'cancelled' })
  })

  it('asks what the work asks; one answer is enough', async () => {
    const { cache, tool, runs, begun } = scene(opener()())
    const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
    await begun()
    const answer = runs[0]?.task.elicit(ASK)
    await expect
      .poll(() => cache.get(second.refId, { actor: ada }))
      .toMatchObject({ inputRequests: { 'elicit-1': { params: { message: 'Go on?' } } } })
    await cache.answerTask(second.refId, { 'elicit-1': { action: 'accept' } }, { actor: ada })
    expect(await answer).toEqual({ action: 'accept' })
    await expect.poll(() => cache.get(first.refId, { actor: ada })).not.toHaveProperty('inputRequests')
    const again = runs[0]?.task.elicit({ ...ASK, message: 'And now?' })
    await expect.poll(() => cache.get(second.refId, { actor: ada })).toHaveProperty('inputRequests')
    await cache.answerTask(first.refId, { 'elicit-2': { action: 'decline' } }, { actor: ada })
    expect(await again).toEqual({ action: 'decline' })
    await expect.poll(() => cache.get(second.refId, { actor: ada })).not.toHaveProperty('inputRequests')
    runs[0]?.resolve('done')
    expect(await cache.get(second.refId, READ)).toMatchObject({ value: 'done' })
  })

  it('is not made for a call that was answered before it was slow', async () => {
    const { tool, runs, begun } = scene(opener()())
    const first = tool({}, { actor: ada })
    await begun()
    runs[0]?.resolve(1)
    const { refId } = await first
    expect(await tool({}, { ...asTask, asyncTimeout: '5s', ownEntry: 'if-slow' })).toMatchObject({ refId })
  })
})

const SHARED = [
  ['memoized', { memoize: true }],
  ['a tool that only reads', { memoize: false, readOnly: true }],
] as const

describe.each(ALL)('work that several tasks share, on %s', (_, opener) => {
  describe.each(SHARED)('%s', (_, options) => {
    it('goes on when the first one is cancelled, and stops with the last one', async () => {
      const { cache, tool, runs, begun } = scene(opener()(), options)
      const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
      await begun()
      runs[0]?.task.progress(1, 3, 'before')
      await cache.cancelTask(first.refId, { actor: ada })
      await goesOn(cache, second.refId, runs[0]?.task, 'after')
      expect(await cache.get(first.refId, { actor: ada })).toMatchObject({ status: 'cancelled' })
      expect(await cache.cancelTask(second.refId, { actor: ada })).toMatchObject({ status: 'cancelled' })
      await expect.poll(() => runs[0]?.task.signal.aborted).toBe(true)
      expect(runs).toHaveLength(1)
    })

    it('goes on from one to the next, and identical calls join it', async () => {
      const { cache, tool, runs, begun } = scene(opener()(), options)
      const tasks = [await tool({}, asTask), await tool({}, asTask), await tool({}, asTask)]
      await begun()
      for (const { refId } of tasks.slice(0, 2)) {
        await cache.cancelTask(refId, { actor: ada })
        await goesOn(cache, tasks[2]?.refId ?? '', runs[0]?.task, `after ${refId}`)
      }
      const joined = tool({}, { actor: ada, interactive: true, asyncTimeout: '5s' })
      const late = await tool({}, asTask)
      runs[0]?.resolve('done')
      expect(await joined).toMatchObject({ value: 'done' })
      for (const { refId } of [...tasks.slice(2), late]) {
        expect(await cache.get(refId, READ)).toMatchObject({ value: 'done' })
      }
      expect(runs).toHaveLength(1)
    })

    it('takes along what was appended, and shows it to all who follow it', async () => {
      const { cache, tool, runs, begun } = scene(opener()(), options)
      const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
      const rows = (from: number) =>
        Array.from({ length: 3_000 }, (_, n) => ({ n: from + n, text: 'a'.repeat(60) }))
      await begun()
      await runs[0]?.task.append(rows(0))
      await expect
        .poll(() => cache.get(second.refId, { actor: ada, page: 1, pageSize: 1 }))
        .toMatchObject({
          refId: second.refId,
          available: 3_000,
          isGrowing: true,
          preview: rows(0).slice(0, 1),
        })
      await cache.cancelTask(first.refId, { actor: ada })
      await runs[0]?.task.append(rows(3_000))
      await expect
        .poll(() => cache.get(second.refId, { actor: ada }))
        .toMatchObject({ status: 'processing', available: 6_000 })
      expect(await cache.resolve(first.refId, { actor: ada, partial: true })).toEqual(rows(0))
      runs[0]?.resolve(rows(6_000))
      expect(await cache.resolve(second.refId, READ)).toEqual([...rows(0), ...rows(3_000), ...rows(6_000)])
    })

    it('stops where those who followed it were cancelled before', async () => {
      const { cache, tool, runs, begun } = scene(opener()(), options)
      const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
      await begun()
      await cache.cancelTask(second.refId, { actor: ada })
      expect(runs[0]?.task.signal.aborted).toBe(false)
      await cache.cancelTask(first.refId, { actor: ada })
      await expect.poll(() => runs[0]?.task.signal.aborted).toBe(true)
      expect(runs).toHaveLength(1)
    })

    it('goes on for a task when the plain call that began it is cancelled', async () => {
      const { cache, tool, runs, begun } = scene(opener()(), options)
      const left = new AbortController()
      const plain = tool(
        {},
        { actor: ada, interactive: true, asyncTimeout: '1h', signal: left.signal, cancelsWork: true },
      )
      await begun()
      const { refId } = await tool({}, asTask)
      left.abort()
      await plain
      runs[0]?.task.progress(2, 3, 'after')
      await expect
        .poll(() => cache.get(refId, { actor: ada }))
        .toMatchObject({ progress: { message: 'after' } })
      expect(runs[0]?.task.signal.aborted).toBe(false)
      runs[0]?.resolve('done')
      expect(await cache.get(refId, READ)).toMatchObject({ value: 'done' })
      expect(runs).toHaveLength(1)
    })

    it('goes on for a plain call when the task that it joined is cancelled', async () => {
      const { cache, tool, runs, begun } = scene(opener()(), options)
      const { refId } = await tool({}, asTask)
      await cache[ADAPTERS].taskInfo(refId, { actor: ada, native: true })
      await begun()
      const joined = tool({}, { actor: ada, interactive: true, asyncTimeout: '1h' })
      await expect.poll(async () => (await cache.stats()).byStatus).toMatchObject({ processing: 2 })
      await cache.cancelTask(refId, { actor: ada })
      await expect.poll(async () => (await cache.stats()).byStatus).toMatchObject({ processing: 1 })
      runs[0]?.resolve('done')
      const answer = await joined
      expect(answer).toMatchObject({ value: 'done' })
      expect(answer.refId).not.toBe(refId)
      expect(runs).toHaveLength(1)
    })
  })

  it('keeps its question, and the key that its client knows', async () => {
    const { cache, tool, runs, begun } = scene(opener()(), { maxConcurrentTasks: 1 })
    const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
    await begun()
    const answer = runs[0]?.task.elicit(ASK)
    const asked = { inputRequests: { 'elicit-1': { params: { message: 'Go on?' } } } }
    await expect.poll(() => cache.get(second.refId, { actor: ada })).toMatchObject(asked)
    await cache.cancelTask(first.refId, { actor: ada })
    await goesOn(cache, second.refId, runs[0]?.task, 'after')
    expect(await cache.get(second.refId, { actor: ada })).toMatchObject(asked)
    await cache.answerTask(second.refId, { 'elicit-1': { action: 'accept' } }, { actor: ada })
    expect(await answer).toEqual({ action: 'accept' })
    runs[0]?.resolve('done')
    expect(await cache.get(second.refId, READ)).toMatchObject({ value: 'done' })
  })

  it('fails for all when it fails, by its hard timeout too, which a hand-over does not begin anew', async () => {
    const { cache, tool, runs, begun } = scene(opener()(), { maxRetries: 0, hardTimeout: '1500ms' })
    const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
    await begun()
    await cache.cancelTask(first.refId, { actor: ada })
    expect(await cache.get(second.refId, READ)).toMatchObject({ status: 'failed', errorCode: 'hard_timeout' })
    expect(runs).toHaveLength(1)
  })

  it('keeps its place in the queue', async () => {
    const { cache, tool, runs, begun } = scene(opener()(), { maxConcurrentTasks: 1, memoize: true })
    const [first, second] = [await tool({}, asTask), await tool({}, asTask)]
    await begun()
    await cache.cancelTask(first.refId, { actor: ada })
    await goesOn(cache, second.refId, runs[0]?.task, 'after')
    const other = await tool({ other: true }, asTask)
    expect(await cache.get(other.refId, { actor: ada })).toMatchObject({ status: 'pending' })
    runs[0]?.resolve('done')
    await begun(2)
    runs[1]?.resolve('other')
    expect(await cache.get(other.refId, READ)).toMatchObject({ value: 'other' })
  })

  async function goesOn(cache: RefCache, refId: string, task: TaskContext | undefined, message: string) {
    await expect
      .poll(() => {
        task?.progress({ message })
        return cache.get(refId, { actor: ada })
      })
      .toMatchObject({ status: 'processing', progress: { message } })
    expect(task?.signal.aborted).toBe(false)
  }
})

describe.each(STORES)('work that tasks of two processes share, on %s', (_, opener) => {
  it.each(['one', 'other'])('goes on when it is cancelled by the %s', async by => {
    const open = opener()
    const one = scene(open())
    const other = scene(open(), {}, one.name)
    const first = await one.tool({}, asTask)
    await one.begun()
    const second = await other.tool({}, asTask)
    await (by === 'one' ? one : other).cache.cancelTask(first.refId, { actor: ada })
    await expect
      .poll(() => {
        one.runs[0]?.task.progress({ message: 'after' })
        return other.cache.get(second.refId, { actor: ada })
      })
      .toMatchObject({ status: 'processing', progress: { message: 'after' } })
    expect(one.runs[0]?.task.signal.aborted).toBe(false)
    one.runs[0]?.resolve('done')
    expect(await other.cache.get(second.refId, READ)).toMatchObject({ value: 'done' })
    expect([one.runs, other.runs].map(runs => runs.length)).toEqual([1, 0])
  })
})

describe.each(STORES)('an entry of its own, after a restart on %s', (_, opener) => {
  it('ends with the work, which another process takes up once', async () => {
    const open = opener()
    const before = scene(open(), { idempotent: true })
    const [first, second] = [await before.tool({}, asTask), await before.tool({}, asTask)]
    await before.begun()
    await before.cache.close()
    const after = scene(open(), { idempotent: true }, before.name)
    await after.begun()
    after.runs[0]?.resolve('done')
    for (const { refId } of [first, second]) {
      expect(await after.cache.get(refId, READ)).toMatchObject({ refId, value: 'done' })
    }
    expect(after.runs).toHaveLength(1)
  })
})

describe.each(ALL)('a native task that has ended, on %s', (_, opener) => {
  const FAILED = { maxRetries: 0, memoize: false }

  async function failed(options: Partial<ToolOptions<object>> = {}) {
    const process = scene(opener()(), { ...FAILED, ...options })
    const { refId } = await process.tool({}, asTask)
    await process.begun()
    process.runs[0]?.reject(new Error('no'))
    await process.cache.get(refId, READ)
    await process.cache[ADAPTERS].taskInfo(refId, { actor: ada, native: true })
    return { ...process, refId }
  }

  it('never moves again: a new entry tries it once more', async () => {
    const { cache, runs, begun, refId } = await failed()
    const retried = await cache.retryTask(refId, { actor: ada })
    expect(retried).toMatchObject({ status: 'pending', retryOf: refId })
    expect(retried.refId).not.toBe(refId)
    expect(await cache.get(refId, { actor: ada })).toMatchObject({
      refId,
      status: 'failed',
      error: 'no',
      retriedAs: retried.refId,
    })
    await begun(2)
    // Asked for twice, it is the same one.
    expect(await cache.retryTask(refId, { actor: ada })).toMatchObject({ refId: retried.refId })
    runs[1]?.resolve('yes')
    expect(await cache.get(retried.refId, READ)).toMatchObject({ value: 'yes' })
    expect(await cache.retryTask(refId, { actor: ada })).toMatchObject({
      refId: retried.refId,
      status: 'complete',
    })
    expect(runs).toHaveLength(2)
  })

  it('is begun once by two who try it at once', async () => {
    const { cache, begun, refId } = await failed()
    const both = await Promise.all([0, 1].map(() => cache.retryTask(refId, { actor: ada })))
    expect(new Set(both.map(one => one.refId)).size).toBe(1)
    await begun(2)
  })

  it('can be tried again and again: what failed again was no task of a client', async () => {
    const { cache, runs, begun, refId } = await failed()
    const retried = await cache.retryTask(refId, { actor: ada })
    await begun(2)
    runs[1]?.reject(new Error('no again'))
    expect(await cache.get(retried.refId, READ)).toMatchObject({ status: 'failed', error: 'no again' })
    expect(await cache.retryTask(refId, { actor: ada })).toMatchObject({ refId: retried.refId })
    await begun(3)
  })

  it('leaves its key to the one that tries it again', async () => {
    const { cache, tool, runs, begun, refId } = await failed({ memoize: true })
    const retried = await cache.retryTask(refId, { actor: ada })
    await begun(2)
    runs[1]?.resolve('yes')
    await cache.get(retried.refId, READ)
    expect(await tool({}, { actor: ada })).toMatchObject({ refId: retried.refId, value: 'yes' })
  })

  it('is as it was for everybody who may not know of it', async () => {
    const { cache, refId } = await failed({ namespace: 'user:ada' })
    const bob = { actor: actor.agent({ id: 'bob' }) }
    await expect(cache.retryTask(refId, bob)).rejects.toMatchObject({ code: 'not_found' })
    expect(await cache.get(refId, { actor: ada })).not.toHaveProperty('retriedAs')
  })
})

it('who may only know of a task takes nothing from its owner by looking at it as a native one', async () => {
  const { cache, tool, runs, begun } = scene(memoryStore(), { maxRetries: 0, memoize: false })
  const { refId } = await tool({}, { actor: ada, asyncTimeout: 0 })
  await begun()
  runs[0]?.reject(new Error('no'))
  await cache.get(refId, READ)
  const stranger = actor.agent({ id: 'bob' })
  expect(await cache[ADAPTERS].taskInfo(refId, { actor: stranger, native: true })).toMatchObject({
    response: { refId },
  })
  expect((await cache.retryTask(refId, { actor: ada })).refId).toBe(refId)
})

it('a task that was never a native one is retried under its own reference', async () => {
  const { cache, tool, runs, begun } = scene(memoryStore(), { maxRetries: 0, memoize: false })
  const { refId } = await tool({}, { actor: ada, asyncTimeout: 0 })
  await begun()
  runs[0]?.reject(new Error('no'))
  await cache.get(refId, READ)
  const retried = await cache.retryTask(refId, { actor: ada })
  expect(retried.refId).toBe(refId)
  expect(retried).not.toHaveProperty('retryOf')
})
