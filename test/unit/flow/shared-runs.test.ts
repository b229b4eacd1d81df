import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { CallOptions } from '../../../src/flow/call/options.ts'
import { SharedRuns } from '../../../src/flow/call/shared-runs.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, scene } from './scene.ts'

const MINUTE = 60_000

const folder = mkdtempSync(join(tmpdir(), 'shared-runs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A graph that one tool reads and another one changes. Reads take as long as the test wants. */
function graphScene(options: Parameters<typeof scene>[0] = {}) {
  const { cache, clock } = scene(options)
  const graph: string[] = []
  const reads: Array<ReturnType<typeof deferred<void>>> = []
  const writes: Array<ReturnType<typeof deferred<void>>> = []
  let slow = false
  const readGraph = vi.fn(async () => {
    const seen = [...graph]
    const done = deferred<void>()
    reads.push(done)
    if (slow) await done.promise
    return seen
  })
  const read = cache.cached<Record<string, unknown>>(
    { name: 'read', memoize: false, readOnly: true, asyncTimeout: '1s' },
    readGraph,
  )
  const write = cache.cached<{ add: string; wait?: boolean; fail?: boolean }>(
    { name: 'write', memoize: false, readOnly: false, asyncTimeout: '1s' },
    async ({ add, wait, fail }) => {
      if (wait) {
        const done = deferred<void>()
        writes.push(done)
        await done.promise
      }
      graph.push(add)
      if (fail) throw new Error('half of it was written')
      return 'written'
    },
  )
  /** A call that is given its handle. */
  const handleOf = async (call: Promise<{ refId: string; status: string }>) => {
    await clock.advance('1s')
    const { refId, status } = await call
    expect(status).toBe('processing')
    return refId
  }
  return {
    cache,
    clock,
    graph,
    read,
    write,
    readGraph,
    handleOf,
    slowReads: (is = true) => {
      slow = is
    },
    finishReads: async () => {
      for (const { resolve } of reads) resolve()
      await clock.advance(0)
    },
    finishWrites: async () => {
      for (const { resolve } of writes) resolve()
      await clock.advance(0)
    },
  }
}

describe('identical calls of a tool that only reads', () => {
  it('run each time once the result was given', async () => {
    const { read, graph, readGraph } = graphScene()
    expect(await read({})).toMatchObject({ value: [] })
    graph.push('changed by somebody else')
    expect(await read({})).toMatchObject({ value: ['changed by somebody else'] })
    expect(readGraph).toHaveBeenCalledTimes(2)
  })

  it('that are in flight share one run, whatever the order of their keys', async () => {
    const { read, readGraph, slowReads, finishReads } = graphScene()
    slowReads()
    const calls = [read({ a: 1, b: { c: 2, d: 3 } }), read({ b: { d: 3, c: 2 }, a: 1 })]
    await vi.waitFor(() => expect(readGraph).toHaveBeenCalled())
    await finishReads()
    const [one, two] = await Promise.all(calls)
    expect(one?.refId).toBe(two?.refId)
    expect(readGraph).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['null for what the other leaves out', { a: null }, {}],
    ['another value', { a: 1 }, { a: 2 }],
  ])('are two with %s', async (_, a, b) => {
    const { read, readGraph } = graphScene()
    await Promise.all([read(a), read(b)])
    expect(readGraph).toHaveBeenCalledTimes(2)
  })

  it('of two actors are two; so are those of callers who look like one', async () => {
    const { read, readGraph } = graphScene()
    const alice: CallOptions = { actor: actor.agent({ id: 'alice' }) }
    const bob: CallOptions = { actor: actor.agent({ id: 'bob' }) }
    await Promise.all([read({}, alice), read({}, bob)])
    expect(readGraph).toHaveBeenCalledTimes(2)
    await Promise.all([read({}, { shareRuns: false }), read({}, { shareRuns: false })])
    expect(readGraph).toHaveBeenCalledTimes(4)
  })

  it('are two where only one of them can answer what the run asks', async () => {
    const { read, readGraph } = graphScene()
    await Promise.all([read({}, { interactive: true }), read({})])
    expect(readGraph).toHaveBeenCalledTimes(2)
  })

  it('are not shared of tools that say nothing, or that write', async () => {
    const { cache } = scene()
    for (const readOnly of [undefined, false]) {
      const handler = vi.fn(() => 1)
      const options = readOnly === undefined ? {} : { readOnly }
      const tool = cache.cached({ name: `${readOnly}`, memoize: false, ...options }, handler)
      await Promise.all([tool({}), tool({})])
      expect(handler).toHaveBeenCalledTimes(2)
    }
  })

  it('share no run that failed, and none that was cancelled', async () => {
    const { cache, read, readGraph, slowReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}))
    await cache.cancelTask(refId)
    expect(await handleOf(read({}))).not.toBe(refId)
    expect(readGraph).toHaveBeenCalledTimes(2)
  })
})

describe('a repeat of a call whose handle was given', () => {
  it('gets the result that nobody has fetched, with its age, and once', async () => {
    const { clock, read, readGraph, slowReads, finishReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}))
    slowReads(false)
    await finishReads()
    const settled = clock.now()
    await clock.advance(4 * MINUTE)
    expect(await read({})).toMatchObject({
      refId,
      status: 'complete',
      value: [],
      cachedAt: new Date(settled),
    })
    expect((await read({})).refId).not.toBe(refId)
    expect(readGraph).toHaveBeenCalledTimes(2)
  })

  it('runs anew once a poll has fetched the result, or part of it', async () => {
    const { cache, read, slowReads, finishReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}))
    slowReads(false)
    await finishReads()
    const polled = await cache.get(refId, { page: 1 })
    expect(polled.status).toBe('complete')
    expect('cachedAt' in polled).toBe(false)
    expect((await read({})).refId).not.toBe(refId)
  })

  it('is not kept from it by polls of a task in flight, by its status, or by a poll that failed', async () => {
    const { cache, read, slowReads, finishReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}))
    await cache.get(refId)
    await finishReads()
    await cache.taskStatus(refId)
    await expect(cache.get(refId, { page: -1 })).rejects.toThrow()
    await expect(cache.get(refId, { full: true, page: 1 })).rejects.toThrow()
    expect((await read({})).refId).toBe(refId)
  })

  it.each([
    ['4:59 after it settled', 5 * MINUTE - 1_000, true],
    ['5 minutes after it settled', 5 * MINUTE, false],
  ])('%s', async (_, later, shared) => {
    const { clock, read, slowReads, finishReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}))
    // However long it ran.
    await clock.advance('30m')
    slowReads(false)
    await finishReads()
    await clock.advance(later)
    expect((await read({})).refId === refId).toBe(shared)
  })

  it('counts those five minutes also where the wall clock is set back', async () => {
    const { clock, read, slowReads, finishReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}))
    slowReads(false)
    await finishReads()
    vi.spyOn(clock, 'now').mockImplementation(() => clock.monotonic() - 86_400_000)
    await clock.advance(6 * MINUTE)
    expect((await read({})).refId).not.toBe(refId)
  })

  it('gets it also where its caller went away, and not where it cancelled the call', async () => {
    for (const [reason, shared] of [
      [new Error('Connection closed'), true],
      ['no longer wanted', false],
      [undefined, false],
    ] as const) {
      const { clock, read, slowReads, finishReads } = graphScene()
      slowReads()
      const caller = new AbortController()
      const call = read({}, { signal: caller.signal })
      await clock.advance(500)
      caller.abort(reason)
      const { refId } = await call
      slowReads(false)
      await finishReads()
      expect((await read({})).refId === refId).toBe(shared)
    }
  })

  it('gets it where the answer did not reach the caller', async () => {
    const { cache, read } = graphScene()
    const { refId } = await read({})
    cache.notDelivered(refId)
    expect((await read({})).refId).toBe(refId)
    expect((await read({})).refId).not.toBe(refId)
  })

  it('counts as fetched once it was given, also where the handle before did not reach its caller', async () => {
    const { cache, read, slowReads, finishReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}))
    cache.notDelivered(refId)
    slowReads(false)
    await finishReads()
    expect((await read({})).refId).toBe(refId)
    expect((await read({})).refId).not.toBe(refId)
  })

  it('does not get it where it reached another caller of the same run', async () => {
    const { cache, read, readGraph, slowReads, finishReads } = graphScene()
    slowReads()
    const calls = [read({}), read({})]
    await vi.waitFor(() => expect(readGraph).toHaveBeenCalled())
    slowReads(false)
    await finishReads()
    const [gone] = await Promise.all(calls)
    cache.notDelivered(`${gone?.refId}`)
    expect((await read({})).refId).not.toBe(gone?.refId)
  })
})

describe('a write', () => {
  it('lies between two reads: fast, in flight, done and not fetched', async () => {
    const { read, write, slowReads, finishReads, handleOf } = graphScene()
    expect(await read({})).toMatchObject({ value: [] })
    await write({ add: 'a' })
    expect(await read({})).toMatchObject({ value: ['a'] })

    slowReads()
    const inFlight = await handleOf(read({}))
    await write({ add: 'b' })
    slowReads(false)
    const second = await read({})
    expect(second).toMatchObject({ value: ['a', 'b'] })
    expect(second.refId).not.toBe(inFlight)

    slowReads()
    const unfetched = await handleOf(read({}))
    await finishReads()
    slowReads(false)
    await write({ add: 'c' })
    const third = await read({})
    expect(third).toMatchObject({ value: ['a', 'b', 'c'] })
    expect(third.refId).not.toBe(unfetched)
  })

  it('that began before a read and ended after it', async () => {
    const { read, write, handleOf, slowReads, finishReads, finishWrites } = graphScene()
    await handleOf(write({ add: 'late', wait: true }))
    slowReads()
    const before = await handleOf(read({}))
    slowReads(false)
    await finishWrites()
    await finishReads()
    const after = await read({})
    expect(after).toMatchObject({ value: ['late'] })
    expect(after.refId).not.toBe(before)
  })

  it('keeps all reads apart while it is in flight, and not those after it', async () => {
    const { read, write, readGraph, handleOf, slowReads, finishReads, finishWrites } = graphScene()
    await handleOf(write({ add: 'x', wait: true }))
    await Promise.all([read({}), read({})])
    expect(readGraph).toHaveBeenCalledTimes(2)
    await finishWrites()
    slowReads()
    const calls = [read({}), read({})]
    await vi.waitFor(() => expect(readGraph).toHaveBeenCalledTimes(3))
    await finishReads()
    await Promise.all(calls)
    expect(readGraph).toHaveBeenCalledTimes(3)
  })

  it('counts also where it fails, is refused, or is begun again by hand', async () => {
    const { cache, read, write, slowReads, finishReads, handleOf } = graphScene()
    const unfetched = async () => {
      slowReads()
      const refId = await handleOf(read({}))
      await finishReads()
      slowReads(false)
      return refId
    }
    let earlier = await unfetched()
    const { refId: failed } = await write({ add: 'half', fail: true }, { asyncTimeout: 0 })
    expect((await read({})).refId).not.toBe(earlier)
    expect(await cache.get(failed)).toMatchObject({ status: 'failed' })

    earlier = await unfetched()
    await cache.retryTask(failed)
    await vi.waitFor(async () => expect((await cache.taskStatus(failed)).status).toBe('failed'))
    expect(await read({})).toMatchObject({ value: ['half', 'half'] })

    earlier = await unfetched()
    await expect(write({ add: 'x' }, { namespace: 'user:somebody' })).rejects.toThrow()
    expect((await read({})).refId).not.toBe(earlier)
  })

  it('that was stopped may take effect for minutes still', async () => {
    const { clock, cache } = scene()
    const readGraph = vi.fn(() => 1)
    const read = cache.cached({ name: 'read', memoize: false, readOnly: true }, readGraph)
    const write = cache.cached(
      { name: 'write', memoize: false, readOnly: false, asyncTimeout: 0 },
      (_, { signal }) =>
        new Promise((__, stop) => signal.addEventListener('abort', () => stop(signal.reason))),
    )
    const { refId } = await write({})
    await clock.advance(0)
    await cache.cancelTask(refId)
    await Promise.all([read({}), read({})])
    expect(readGraph).toHaveBeenCalledTimes(2)
    await clock.advance(5 * MINUTE)
    await Promise.all([read({}), read({})])
    expect(readGraph).toHaveBeenCalledTimes(3)
  })

  it('of the host program, or of a tool that is none of the cache’s', async () => {
    const { cache, read, slowReads, finishReads, handleOf } = graphScene()
    slowReads()
    const before = await handleOf(read({}))
    const end = cache.beginWrite()
    const during = await handleOf(read({}))
    end()
    end()
    const after = await handleOf(read({}))
    expect(new Set([before, during, after]).size).toBe(3)
    await finishReads()
    expect((await read({})).refId).toBe(after)
  })

  it('leaves alone what is memoized, and what a tool that says nothing does', async () => {
    const { cache, read, readGraph, slowReads, finishReads, handleOf } = graphScene()
    const compute = cache.cached({ name: 'compute' }, () => 1)
    slowReads()
    const refId = await handleOf(read({}))
    await compute({})
    await finishReads()
    expect((await read({})).refId).toBe(refId)
    expect(readGraph).toHaveBeenCalledTimes(1)
  })
})

describe('a call that is cancelled', () => {
  it.each([
    ['ends the work of a call that nobody else follows', 1, 'cancelled'],
    ['leaves the work to the others that follow it', 2, 'processing'],
  ])('%s', async (_, callers, status) => {
    const { cache, clock, read, slowReads, finishReads } = graphScene()
    slowReads()
    const caller = new AbortController()
    const cancelled = read({}, { signal: caller.signal, cancelsWork: true })
    await clock.advance(100)
    const others = Array.from({ length: callers - 1 }, () => read({}, { cancelsWork: true }))
    await clock.advance(100)
    caller.abort()
    const { refId } = await cancelled
    expect((await cache.taskStatus(refId)).status).toBe(status)
    await finishReads()
    for (const other of others) expect(await other).toMatchObject({ refId, status: 'complete' })
  })

  it('leaves the work alone where a handle of it was given', async () => {
    const { cache, clock, read, slowReads, handleOf } = graphScene()
    slowReads()
    const refId = await handleOf(read({}, { cancelsWork: true }))
    const caller = new AbortController()
    const again = read({}, { signal: caller.signal, cancelsWork: true })
    await clock.advance(100)
    caller.abort()
    expect((await again).refId).toBe(refId)
    expect((await cache.taskStatus(refId)).status).toBe('processing')
  })
})

describe.each([
  ['memory', () => memoryStore()],
  ['SQLite', () => sqliteStore(join(folder, 'cache.db'))],
])('a call that is to run anew, on %s', (_, store) => {
  let counter = 0
  const memoized = (options: object = {}) => {
    const { cache, clock } = scene({ store: store(), name: `fresh${counter++}` })
    onTestFinished(() => cache.close())
    let runs = 0
    const work: Array<ReturnType<typeof deferred<void>>> = []
    const tool = cache.cached<{ wait?: boolean; fail?: boolean }>(
      { name: 'tool', asyncTimeout: '1s', ...options },
      async ({ wait }) => {
        const run = ++runs
        if (wait) {
          const done = deferred<void>()
          work.push(done)
          await done.promise
        }
        return run
      },
    )
    return { cache, clock, tool, work }
  }

  it('takes the key with its result', async () => {
    const { tool } = memoized()
    expect(await tool({})).toMatchObject({ value: 1 })
    const fresh = await tool({}, { fresh: true })
    expect(fresh).toMatchObject({ value: 2 })
    expect('cachedAt' in fresh).toBe(false)
    expect(await tool({})).toMatchObject({ value: 2, refId: fresh.refId, cachedAt: expect.any(Date) })
  })

  it('starts its own run beside one that is in flight, which ends as if nothing had been', async () => {
    const { cache, clock, tool, work } = memoized()
    const first = await tool({ wait: true }, { asyncTimeout: 0 })
    await vi.waitFor(() => expect(work).toHaveLength(1))
    const second = await tool({ wait: true }, { asyncTimeout: 0, fresh: true })
    expect(second.refId).not.toBe(first.refId)
    await vi.waitFor(() => expect(work).toHaveLength(2))
    for (const { resolve } of work) resolve()
    await clock.advance(0)
    await vi.waitFor(async () => expect((await cache.get(second.refId)).status).toBe('complete'))
    expect(await cache.get(first.refId)).toMatchObject({ value: 1 })
    expect(await tool({ wait: true })).toMatchObject({ value: 2, refId: second.refId })
  })

  it('is one of many at the same time, each with its own run', async () => {
    const { tool } = memoized()
    const answers = await Promise.all(Array.from({ length: 5 }, () => tool({}, { fresh: true })))
    expect(new Set(answers.map(({ refId }) => refId)).size).toBe(5)
  })

  it('of a tool that only reads starts its own run, which identical calls then follow', async () => {
    const { tool, work, clock } = memoized({ memoize: false, readOnly: true })
    const first = await tool({ wait: true }, { asyncTimeout: 0 })
    const fresh = await tool({ wait: true }, { asyncTimeout: 0, fresh: true })
    expect(fresh.refId).not.toBe(first.refId)
    await vi.waitFor(() => expect(work).toHaveLength(2))
    for (const { resolve } of work) resolve()
    await clock.advance(0)
    expect(await tool({ wait: true })).toMatchObject({ refId: fresh.refId })
  })
})

describe('a call whose identity is less than its input', () => {
  it('is the same call as others of that identity, memoized or not', async () => {
    for (const options of [{ memoize: true }, { memoize: false, readOnly: true }]) {
      const { cache } = scene()
      const handler = vi.fn(async (input: object) => input)
      const tool = cache.cached({ name: 'tool', ...options }, handler)
      const [one, two] = await Promise.all([
        tool({ trace: 1 }, { identity: { name: 'x' } }),
        tool({ trace: 2 }, { identity: { name: 'x' } }),
      ])
      expect(one.refId).toBe(two.refId)
      expect(handler).toHaveBeenCalledWith({ trace: 1 }, expect.anything())
    }
  })
})

describe('the runs that calls may follow', () => {
  it('are bounded in count, oldest first out', async () => {
    const runs = new SharedRuns(new FakeClock())
    const nothing = async () => undefined
    for (let n = 0; n < 5_000; n++) await runs.joinOrBegin(`call ${n}`, `ref ${n}`, nothing)
    const asked: string[] = []
    const look = async (refId: string) => {
      asked.push(refId)
      return undefined
    }
    await runs.joinOrBegin('call 0', 'new 0', look)
    await runs.joinOrBegin('call 4999', 'new 4999', look)
    expect(asked).toEqual(['ref 4999'])
  })
})
