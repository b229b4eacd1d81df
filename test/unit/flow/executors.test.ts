import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { ProcessingEntry } from '../../../src/core/entry.ts'
import { WorkerLost } from '../../../src/core/errors.ts'
import type { Dispatcher, PendingWork, TakeWork } from '../../../src/execution/dispatcher.ts'
import type { ExecutionContext, Executor } from '../../../src/execution/executor.ts'
import { inProcessExecutor } from '../../../src/execution/in-process.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, scene } from './scene.ts'

/** An executor that writes down what it is asked to do. */
function recording(tools: Parameters<typeof inProcessExecutor>[0]) {
  const inner = inProcessExecutor(tools)
  const calls: Array<{ toolName: string; input: unknown; context: ExecutionContext }> = []
  const executor: Executor = {
    execute(toolName, input, context) {
      calls.push({ toolName, input, context })
      return inner.execute(toolName, input, context)
    },
  }
  return { executor, calls }
}

describe('executors', () => {
  it('run the tools that name them, by name, on plain input with its references filled', async () => {
    const { executor, calls } = recording([
      { name: 'sum', handler: ({ rows }: { rows: number[] }) => rows.length },
    ])
    const { cache } = scene({ executors: { elsewhere: executor } })
    const sum = cache.cached({ name: 'sum', executor: 'elsewhere' }, () => 'the handler of this process')
    const rows = await cache.set('rows', [1, 2, 3])
    const who = actor.user({ id: 'alice' })
    expect(await sum({ rows: rows.refId } as never, { actor: who })).toMatchObject({ value: 3 })
    expect(calls).toMatchObject([
      { toolName: 'sum', input: { rows: [1, 2, 3] }, context: { attempt: 1, startedBy: who } },
    ])
  })

  it('get the same input as text where they ask for that, with values as they are stored', async () => {
    const { executor, calls } = recording([{ name: 'text', handler: (input: string) => input }])
    const { cache } = scene({ executors: { elsewhere: { ...executor, inputAs: 'json' } } })
    const text = cache.cached({ name: 'text', executor: 'elsewhere', memoize: false }, () => 'not this one')
    const rows = [{ n: 1.5, text: 'ö "quoted" $& $1' }, 2, null]
    const { refId } = await cache.set('rows', rows)
    const input = {
      10: refId,
      9: 'a',
      list: [refId, { deep: `${refId}#/0/n` }],
      [refId]: 'a name',
      plain: '$`',
    }
    await text(input as never)
    expect(calls[0]?.input).toBeTypeOf('string')
    expect(JSON.parse(String(calls[0]?.input))).toEqual({
      ...{ 10: rows, 9: 'a', list: [rows, { deep: 1.5 }] },
      ...{ [refId]: 'a name', plain: '$`' },
    })
    await text({ plain: refId.slice(1) } as never)
    expect(calls[1]?.input).toBe(JSON.stringify({ plain: refId.slice(1) }))
  })

  it('run as many tasks at once as they have room for; the time of the others has not begun', async () => {
    const { promise, resolve } = deferred()
    const executor = { ...inProcessExecutor([{ name: 'wait', handler: () => promise }]), capacity: 1 }
    const { cache, clock } = scene({ executors: { threads: executor } })
    const options = {
      name: 'wait',
      executor: 'threads',
      memoize: false,
      asyncTimeout: 0,
      hardTimeout: '1m',
    } as const
    const wait = cache.cached(options, () => 1)
    const [first, second] = [await wait({}), await wait({})]
    await clock.advance('30s')
    expect(await cache.get(first.refId)).toMatchObject({ status: 'processing' })
    expect(await cache.get(second.refId)).toMatchObject({ status: 'pending' })
    await clock.advance('31s')
    expect(await cache.get(first.refId)).toMatchObject({ status: 'failed', errorCode: 'hard_timeout' })
    // The handler that goes on keeps its place until it has ended.
    resolve(7)
    await expect.poll(() => cache.resolve(second.refId)).toBe(7)
  })

  it('are refused where there is none of that name, and where they are none', () => {
    const { executor } = recording([])
    const { cache } = scene({ executors: { threads: executor } })
    expect(() => cache.cached({ name: 'a', executor: 'thread' }, () => 1)).toThrow(
      "Tool 'a' wants the executor 'thread', and this cache has 'threads'.",
    )
    expect(() => scene().cache.cached({ name: 'a', executor: 'threads' }, () => 1)).toThrow('has none')
    expect(() => scene({ executors: { threads: {} as Executor } })).toThrow('executors.threads needs')
    expect(() => scene({ dispatcher: {} as Dispatcher })).toThrow('dispatcher needs')
  })

  it('are asked for a tool that they lack: the task fails and says so', async () => {
    const { cache } = scene({ executors: { elsewhere: inProcessExecutor([]) } })
    const tool = cache.cached({ name: 'a', executor: 'elsewhere' }, () => 1)
    await expect(tool({})).rejects.toThrow("lacks the tool 'a'")
  })

  it('are closed with the cache, and what cannot be closed keeps nothing else open', async () => {
    const closed: string[] = []
    const executors = {
      broken: { ...inProcessExecutor([]), close: () => Promise.reject(new Error('stuck')) },
      well: {
        ...inProcessExecutor([]),
        async close() {
          closed.push('well')
        },
      },
    }
    const logged: string[] = []
    const logger = { warn: () => {}, error: (line: string) => logged.push(line) }
    const { cache } = scene({ executors, logger })
    await cache.close()
    expect(closed).toEqual(['well'])
    expect(logged).toEqual([
      "The executor 'broken' could not be closed. What it had not done yet may be lost.",
    ])
  })

  it('that lose their worker fail the task, or have it run again as the tool says', async () => {
    let runs = 0
    const executor: Executor = {
      async execute() {
        runs++
        throw new WorkerLost('The worker was killed.')
      },
    }
    const { cache, clock } = scene({ executors: { elsewhere: executor } })
    const once = cache.cached({ name: 'once', executor: 'elsewhere' }, () => 1)
    await expect(once({})).rejects.toMatchObject({ code: 'worker_lost' })
    expect(runs).toBe(1)
    const again = cache.cached(
      { name: 'again', executor: 'elsewhere', maxRetries: 2, asyncTimeout: 0 },
      () => 1,
    )
    const { refId } = await again({})
    await clock.advance('1m')
    expect(await cache.get(refId)).toMatchObject({
      status: 'failed',
      errorCode: 'worker_lost',
      canRetry: true,
    })
    expect(runs).toBe(4)
    runs = 0
    const idempotent = cache.cached({ name: 'idempotent', executor: 'elsewhere', idempotent: true }, () => 1)
    // A task that takes one worker down after the other is given up.
    const lost = expect(idempotent({})).rejects.toMatchObject({ code: 'worker_lost' })
    await clock.advance('1m')
    await lost
    expect(runs).toBe(4)
  })
})

/** Fronts announce work on it, workers take it when the test says so. */
function queue() {
  const waiting: PendingWork[] = []
  const takers: TakeWork[] = []
  const front = (): Dispatcher => ({
    shared: true,
    dispatch(work) {
      waiting.push(work)
      return 'elsewhere'
    },
  })
  const worker = (): Dispatcher => ({ ...front(), listen: take => void takers.push(take) })
  return { waiting, takers, front, worker }
}

describe('dispatchers', () => {
  /** A front and two workers on one store. */
  function processes() {
    const store = memoryStore()
    const clock = new FakeClock()
    const { waiting, takers, front, worker } = queue()
    const ranIn: string[] = []
    const open = (place: string, dispatcher: Dispatcher, hasTool = true) => {
      const cache = new RefCache({ name: 't', store, clock, dispatcher })
      const handler = async (_: object, task: { attempt: number }) => {
        ranIn.push(place)
        return `attempt ${task.attempt}`
      }
      const tool = hasTool ? cache.cached({ name: 'work' }, handler) : undefined
      return { cache, tool }
    }
    return { store, clock, waiting, takers, ranIn, open, front, worker }
  }

  it('hand work to the process that takes it, once, whoever else tries', async () => {
    const { waiting, takers, ranIn, open, front, worker } = processes()
    const { tool } = open('front', front())
    open('one', worker())
    open('two', worker())
    const answer = tool?.({})
    await expect.poll(() => waiting.length).toBe(1)
    const { refId, toolName } = waiting[0]!
    expect(toolName).toBe('work')
    expect((await Promise.all(takers.map(take => take(refId)))).sort()).toEqual(['ended', 'not_pending'])
    expect(await answer).toMatchObject({ refId, value: 'attempt 1' })
    expect(ranIn).toHaveLength(1)
    expect(ranIn).not.toContain('front')
    expect(await takers[0]!(refId)).toBe('not_pending')
    expect(await takers[0]!('t:00000000000000000000000000000000')).toBe('not_pending')
  })

  it('leave work to others where a process lacks its tool', async () => {
    const { waiting, takers, ranIn, open, front, worker } = processes()
    const { tool } = open('front', front())
    open('lacking', worker(), false)
    open('able', worker())
    const answer = tool?.({})
    await expect.poll(() => waiting.length).toBe(1)
    expect(await takers[0]!(waiting[0]!.refId)).toBe('unknown_tool')
    expect(await takers[1]!(waiting[0]!.refId)).toBe('ended')
    await answer
    expect(ranIn).toEqual(['able'])
  })

  it('hear again of work whose announcement was lost', async () => {
    const { store, clock, waiting, takers, ranIn, open, front, worker } = processes()
    const { tool } = open('front', front())
    open('worker', worker())
    const answer = tool?.({})
    await expect.poll(() => waiting.length).toBe(1)
    const lost = waiting.pop()!
    await clock.advance('2m')
    expect(waiting).toContainEqual(lost)
    expect((await store.get(lost.refId)) as ProcessingEntry).toMatchObject({ status: 'pending', attempt: 0 })
    await takers[0]!(lost.refId)
    expect(await answer).toMatchObject({ value: 'attempt 1' })
    expect(ranIn).toEqual(['worker'])
  })
})
