import { describe, expect, it, vi } from 'vitest'
import { type ActorLike, actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import {
  HardTimeout,
  InputUnavailable,
  InvalidArgument,
  NotFound,
  PermissionDenied,
  StoreUnavailable,
  TaskCancelled,
  ValueTooLarge,
} from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { AskCapabilities } from '../../../src/core/question.ts'
import type { AsyncTaskResponse, CallResponse } from '../../../src/core/response.ts'
import type { ToolOptions } from '../../../src/core/tool-options.ts'
import type { CallOptions } from '../../../src/flow/call/options.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, scene } from './scene.ts'

const ada = actor.user({ id: 'ada' })
const bob = actor.user({ id: 'bob' })

const form = (message: string) => ({ message, requestedSchema: { type: 'object', properties: {} } })
const yes = { action: 'accept', content: { ok: true } }

type Work = (task: TaskContext) => Promise<unknown>

/** A task of Ada's that asks. */
async function asking(work: Work, options: Partial<ToolOptions<object>> = {}, store = memoryStore()) {
  const { cache, clock } = scene({ store })
  const handler = vi.fn((_: object, task: TaskContext) => work(task))
  const tool = cache.cached({ name: 'ask', asyncTimeout: 0, ...options }, handler)
  const { refId } = await tool({}, { interactive: true, actor: ada })
  await clock.advance(0)
  const answer = async (answers: Record<string, unknown>, who: ActorLike = ada) => {
    const response = await cache.answerTask(refId, answers, { actor: who })
    await clock.advance(0)
    return response
  }
  const status = async (who: ActorLike = ada) =>
    (await cache.taskStatus(refId, { actor: who })) as AsyncTaskResponse
  const keys = async () => Object.keys((await status()).inputRequests ?? {})
  return { cache, clock, store, tool, handler, refId, answer, status, keys }
}

describe('task.elicit and task.sample', () => {
  it('show the question to whoever started the task, and give the answer to the handler', async () => {
    const { cache, refId, answer, status } = await asking(async task => {
      const { action, content } = await task.elicit({ ...form('Delete it?'), _meta: { why: 'test' } })
      return { action, content }
    })
    expect(await status()).toMatchObject({
      status: 'processing',
      inputRequests: {
        'elicit-1': {
          method: 'elicitation/create',
          params: { ...form('Delete it?'), _meta: { why: 'test' } },
        },
      },
      message: expect.stringContaining('Waiting for input'),
    })
    await answer({ 'elicit-1': yes })
    expect(await cache.get(refId, { actor: ada })).toMatchObject({ status: 'complete', value: yes })
  })

  it('number their questions together, and wait for several at once, which may be answered one by one', async () => {
    const { cache, refId, answer, keys } = await asking(task =>
      Promise.all([task.elicit(form('a')), task.sample({ messages: [] }), task.elicit(form('c'))]),
    )
    expect(await keys()).toEqual(['elicit-1', 'sample-2', 'elicit-3'])
    expect(await answer({ 'sample-2': { model: 'm' } })).toMatchObject({ status: 'processing' })
    expect(await keys()).toEqual(['elicit-1', 'elicit-3'])
    await answer({ 'elicit-1': { action: 'decline' }, 'elicit-3': { action: 'cancel' } })
    expect(await cache.resolve(refId, { actor: ada })).toEqual([
      { action: 'decline' },
      { model: 'm' },
      { action: 'cancel' },
    ])
  })

  it('say that the task runs on once everything is answered', async () => {
    const { answer, status } = await asking(async task => {
      await task.elicit(form('a'))
      return new Promise(() => {})
    })
    await answer({ 'elicit-1': yes })
    expect(await status()).not.toHaveProperty('inputRequests')
    expect(await status()).toHaveProperty('message', expect.stringContaining('Still running'))
  })

  it('ask for a page to be visited', async () => {
    const { status } = await asking(task => task.elicit({ mode: 'url', message: 'Pay', url: 'https://pay' }))
    expect((await status()).inputRequests?.['elicit-1']?.params).toEqual({
      mode: 'url',
      message: 'Pay',
      url: 'https://pay',
    })
  })

  it('store the question before anybody can see it, and the answer before the handler hears of it', async () => {
    const store = memoryStore()
    const { refId, answer } = await asking(
      async task => {
        const got = await task.elicit(form('a'))
        expect((await store.get(task.refId))?.questions).toMatchObject([{ key: 'elicit-1', answer: yes }])
        return got
      },
      {},
      store,
    )
    expect((await store.get(refId))?.questions).toMatchObject([{ key: 'elicit-1' }])
    await answer({ 'elicit-1': yes })
    expect(await store.get(refId)).toMatchObject({ status: 'complete' })
    expect(await store.get(refId)).not.toHaveProperty('questions')
  })

  it('give the handler an answer of its own, which it may change', async () => {
    const { cache, refId, answer } = await asking(async task => {
      const sampled = await task.sample({ messages: [] })
      sampled.more = 1
      return sampled
    })
    await answer({ 'sample-1': { model: 'm' } })
    expect(await cache.resolve(refId, { actor: ada })).toEqual({ model: 'm', more: 1 })
  })

  it('answer a waiting interactive call with a handle as soon as there is something to answer', async () => {
    const { cache, clock } = scene()
    const step = deferred()
    const tool = cache.cached({ name: 'ask' }, async (_: object, task) => {
      await step.promise
      return (await task.elicit(form('a'))).action
    })
    const settled = vi.fn()
    const answer = tool({}, { interactive: true, actor: ada }).then(settled)
    await clock.advance('1m')
    expect(settled).not.toHaveBeenCalled()
    step.resolve(undefined)
    await answer
    expect(settled).toHaveBeenCalledWith(
      expect.objectContaining({ status: 'processing', inputRequests: expect.anything() }),
    )
  })

  it('refuse at once where whoever started the task cannot be asked, and the handler can go another way', async () => {
    const { cache } = scene()
    const tool = cache.cached({ name: 'ask' }, async (_: object, task) => {
      const refused = await task.elicit(form('a')).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(InputUnavailable)
      await expect(task.sample({})).rejects.toBeInstanceOf(InputUnavailable)
      return 'the default'
    })
    expect(await tool({})).toMatchObject({ value: 'the default' })
  })

  it('take an error for an answer of the model as the refusal of the client, in each run again', async () => {
    const refused: unknown[] = []
    const { cache, clock, refId, answer, keys } = await asking(
      async task => {
        await task.sample({ messages: [] }).catch((error: unknown) => refused.push(error))
        if (task.attempt === 1) throw new Error('once more')
        return 'without the model'
      },
      { maxRetries: 1 },
    )
    await answer({ 'sample-1': { error: { code: -1, message: 'User rejected sampling request' } } })
    await clock.advance('5s')
    expect(await keys()).toEqual([])
    expect(await cache.resolve(refId, { actor: ada })).toBe('without the model')
    expect(refused).toHaveLength(2)
    for (const error of refused) {
      expect(error).toBeInstanceOf(InputUnavailable)
      expect(error).toHaveProperty('message', expect.stringMatching(/client refused.*User rejected/))
    }
  })

  it.each<JsonObject>([
    { error: { code: -1, message: 'no' }, model: 'm' },
    { error: { code: -1, message: 'no', data: 1 } },
    { error: { code: '-1', message: 'no' } },
    { error: { code: -1 } },
    { error: 'no' },
    {},
  ])('take any other answer of the model as it is: %j', async given => {
    const { cache, refId, answer } = await asking(task => task.sample({ messages: [] }))
    await answer({ 'sample-1': given })
    expect(await cache.resolve(refId, { actor: ada })).toEqual(given)
  })

  it.each<[AskCapabilities, AskCapabilities, (task: TaskContext) => Promise<unknown>]>([
    [
      { elicitation: { form: {} } },
      { elicitation: { url: {} }, sampling: {} },
      task => task.elicit(form('a')),
    ],
    [{ elicitation: {} }, { sampling: { tools: {} } }, task => task.elicit(form('a'))],
    [
      { elicitation: { form: {} } },
      { elicitation: { url: {} } },
      task => task.elicit({ ...form('a'), mode: 'form' }),
    ],
    [
      { elicitation: { url: {} } },
      { elicitation: { form: {} }, sampling: { tools: {} } },
      task => task.elicit({ mode: 'url', message: 'Pay', url: 'https://pay' }),
    ],
    [{ sampling: {} }, { elicitation: { form: {}, url: {} } }, task => task.sample({ messages: [] })],
    [{ sampling: { tools: {} } }, { sampling: {} }, task => task.sample({ messages: [], tools: [] })],
    [
      { sampling: { tools: {} } },
      { sampling: {} },
      task => task.sample({ messages: [], toolChoice: { mode: 'none' } }),
    ],
  ])('ask what needs %j only of a caller that can answer just that', async (needed, others, work) => {
    const asked = async (interactive: CallOptions['interactive']) => {
      const { cache, clock } = scene()
      const tool = cache.cached({ name: 'ask', asyncTimeout: 0 }, (_: object, task: TaskContext) =>
        work(task),
      )
      const { refId } = await tool({}, { interactive, actor: ada })
      await clock.advance(0)
      const status = (await cache.taskStatus(refId, { actor: ada })) as AsyncTaskResponse
      return status.inputRequests ? 'asked' : status.errorCode
    }
    expect(await asked(needed)).toBe('asked')
    expect(await asked(true)).toBe('asked')
    expect(await asked(others)).toBe('input_unavailable')
    expect(await asked({})).toBe('input_unavailable')
    expect(await asked(false)).toBe('input_unavailable')
  })

  it.each([[['elicitation/create']], [null], ['form'], [7]])(
    'refuse a call that says of its caller %j',
    async interactive => {
      const { cache } = scene()
      const tool = cache.cached({ name: 'ask' }, () => 1)
      const given = { interactive: interactive as unknown as boolean }
      await expect(tool({}, given)).rejects.toThrow(/`interactive` is true, false, or what the caller/)
    },
  )

  it('fail a task that cannot go another way, without further tries', async () => {
    const { cache, clock } = scene()
    const handler = vi.fn((_: object, task: TaskContext) => task.elicit(form('a')))
    const { refId } = await cache.cached({ name: 'ask', asyncTimeout: 0, maxRetries: 3 }, handler)({})
    await clock.advance('5m')
    expect(await cache.get(refId)).toMatchObject({
      status: 'failed',
      errorCode: 'input_unavailable',
      canRetry: false,
    })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it.each<[string, (task: TaskContext) => Promise<unknown>]>([
    ['no message', task => task.elicit({ requestedSchema: {} } as never)],
    ['no schema', task => task.elicit({ message: 'a' } as never)],
    ['no url', task => task.elicit({ mode: 'url', message: 'a' } as never)],
    ['no object', task => task.sample('a' as never)],
    ['what JSON cannot hold', task => task.sample({ at: new Map() } as never)],
  ])('refuse a question with %s', async (_, work) => {
    const { status, keys } = await asking(work)
    expect(await status()).toMatchObject({ status: 'failed', errorCode: 'invalid_argument' })
    expect(await keys()).toEqual([])
  })

  it('refuse more than an entry should hold', async () => {
    const megabyte = 'x'.repeat(1024 * 1024)
    const { status } = await asking(task => task.sample({ messages: [megabyte] }))
    expect(await status()).toMatchObject({ status: 'failed', errorCode: 'value_too_large' })
  })

  it('count what was asked before, too', async () => {
    const half = 'x'.repeat(600 * 1024)
    const { answer, status } = await asking(async task => {
      await task.sample({ messages: [half] })
      return task.sample({ messages: [half] })
    })
    await answer({ 'sample-1': {} })
    expect(await status()).toMatchObject({ status: 'failed', errorCode: 'value_too_large' })
  })
})

describe('a task that waits for input', () => {
  it('stops waiting when it is cancelled', async () => {
    const heard = vi.fn()
    const { cache, refId, clock, answer, keys } = await asking(task => task.elicit(form('a')).catch(heard))
    await cache.cancelTask(refId, { actor: ada })
    await clock.advance(0)
    expect(heard).toHaveBeenCalledWith(expect.any(TaskCancelled))
    expect(await keys()).toEqual([])
    expect(await answer({ 'elicit-1': yes })).toMatchObject({ status: 'cancelled' })
  })

  it('is stopped by its hard timeout: people are not waited for without end', async () => {
    const heard = vi.fn()
    const { clock, status } = await asking(task => task.elicit(form('a')).catch(heard), {
      hardTimeout: '10m',
    })
    await clock.advance('10m')
    expect(heard).toHaveBeenCalledWith(expect.any(HardTimeout))
    expect(await status()).toMatchObject({ status: 'failed', errorCode: 'hard_timeout' })
  })

  it('outlives a store that is away for a while', async () => {
    const store = memoryStore()
    const { cache, refId, clock, answer } = await asking(
      async task => (await task.elicit(form('a'))).action,
      {},
      store,
    )
    const away = vi.spyOn(store, 'get').mockRejectedValue(new StoreUnavailable('away'))
    await clock.advance('1m')
    away.mockRestore()
    await answer({ 'elicit-1': yes })
    await clock.advance('5s')
    expect(await cache.resolve(refId, { actor: ada })).toBe('accept')
  })

  it('asks as soon as a store that is away is back', async () => {
    const store = memoryStore()
    const step = deferred()
    const { clock, keys } = await asking(
      async task => {
        await step.promise
        return task.elicit(form('a'))
      },
      {},
      store,
    )
    const away = vi.spyOn(store, 'update').mockRejectedValue(new StoreUnavailable('away'))
    step.resolve(undefined)
    await clock.advance('5s')
    away.mockRestore()
    await clock.advance('2s')
    expect(await keys()).toEqual(['elicit-1'])
  })

  it('leaves nothing behind when its handler goes on without the answer', async () => {
    const rejected = vi.fn()
    const { clock, status } = await asking(task => {
      task.elicit(form('a')).catch(rejected)
      return Promise.reject(new Error('changed my mind'))
    })
    expect(await status()).toMatchObject({ status: 'failed', error: 'changed my mind' })
    expect(rejected).toHaveBeenCalledWith(expect.any(TaskCancelled))
    // The next sweep is all that waits, and the next heartbeat.
    expect(clock.pending).toBe(2)
  })

  it('brings no process down when its handler has left the question alone', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const { clock, status } = await asking(async task => {
      void task.elicit(form('a'))
      void task.sample({ messages: [] })
    })
    await clock.advance('1s')
    process.off('unhandledRejection', unhandled)
    expect(await status()).toMatchObject({ status: 'complete' })
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('has its questions stored in the order of its runs, however slow the store', async () => {
    const store = memoryStore()
    const update = store.update.bind(store)
    const [underWay, mayGoOn] = [deferred(), deferred()]
    let slow = true
    store.update = async (entry, ...rest) => {
      if (entry.questions && slow) {
        slow = false
        underWay.resolve(undefined)
        await mayGoOn.promise
      }
      return update(entry, ...rest)
    }
    const { clock, keys, status } = await asking(
      async task => {
        if (task.attempt > 1) return task.elicit(form('second'))
        void task.elicit(form('first'))
        await underWay.promise
        throw new Error('once more')
      },
      { maxRetries: 1 },
      store,
    )
    await clock.advance('10s')
    mayGoOn.resolve(undefined)
    await clock.advance('10s')
    expect(await keys()).toEqual(['elicit-2'])
    expect((await status()).inputRequests?.['elicit-2']?.params.message).toBe('second')
  })

  it('takes nothing from a run that is over', async () => {
    let late: TaskContext | undefined
    const { clock, store, refId } = await asking(
      async task => {
        if (task.attempt > 1) return task.elicit(form('second'))
        late = task
        throw new Error('again')
      },
      { maxRetries: 1 },
    )
    await clock.advance('5s')
    await expect(late?.elicit(form('late'))).rejects.toBeInstanceOf(TaskCancelled)
    expect((await store.get(refId))?.questions).toMatchObject([{ params: { message: 'second' } }])
  })
})

describe('the place of a task that waits for input', () => {
  const queued = async (work: (task: TaskContext, name: string) => Promise<unknown>) => {
    const { cache, clock } = scene()
    const tool = cache.cached(
      { name: 'ask', asyncTimeout: 0, maxConcurrentTasks: 1 },
      ({ name }: { name: string }, task) => work(task, name),
    )
    const begin = async (name: string) => {
      const { refId } = await tool({ name }, { interactive: true, actor: ada })
      await clock.advance(0)
      return {
        status: async () => (await cache.taskStatus(refId, { actor: ada })).status,
        value: () => cache.resolve(refId, { actor: ada }),
        cancel: () => cache.cancelTask(refId, { actor: ada }),
        answer: async (answers: Record<string, unknown>) => {
          await cache.answerTask(refId, answers, { actor: ada })
          await clock.advance(0)
        },
      }
    }
    return { begin, clock }
  }

  it('is for others in the meantime, and is taken again before the answer is handed on', async () => {
    const gate = deferred()
    const { begin, clock } = await queued(async (task, name) => {
      if (name === 'works') return gate.promise
      return (await task.elicit(form('a'))).action
    })
    const asks = await begin('asks')
    const asksToo = await begin('asks too')
    const works = await begin('works')
    expect(await works.status()).toBe('processing')
    await asks.answer({ 'elicit-1': yes })
    // Its place is taken: it goes on when the other has ended.
    expect(await asks.status()).toBe('processing')
    gate.resolve('worked')
    await clock.advance(0)
    expect(await works.value()).toBe('worked')
    expect(await asks.value()).toBe('accept')
    await asksToo.answer({ 'elicit-1': { action: 'decline' } })
    expect(await asksToo.value()).toBe('decline')
  })

  it('is left once and taken once for several questions, and counted right afterwards', async () => {
    const running = new Set<string>()
    const gates = new Map<string, () => void>()
    const { begin, clock } = await queued(async (task, name) => {
      if (name === 'asks') {
        await Promise.all([task.elicit(form('a')), task.sample({}), task.elicit(form('c'))])
        await task.elicit(form('d'))
      }
      running.add(name)
      expect(running.size).toBe(1)
      await new Promise<void>(resolve => gates.set(name, resolve))
      running.delete(name)
      return name
    })
    const open = async (name: string) => {
      gates.get(name)?.()
      await clock.advance(0)
    }
    const asks = await begin('asks')
    await asks.answer({ 'elicit-1': yes, 'sample-2': {} })
    const first = await begin('first')
    const second = await begin('second')
    expect([await first.status(), await second.status()]).toEqual(['processing', 'pending'])
    await asks.answer({ 'elicit-3': yes })
    await open('first')
    // Whoever is in line for longer has its turn first.
    expect([...running]).toEqual(['second'])
    await open('second')
    await asks.answer({ 'elicit-4': yes })
    expect([...running]).toEqual(['asks'])
    const third = await begin('third')
    expect(await third.status()).toBe('pending')
    await open('asks')
    await open('third')
    expect(await Promise.all([asks, first, second, third].map(({ value }) => value()))).toEqual([
      'asks',
      'first',
      'second',
      'third',
    ])
  })

  it('is not kept by what was cancelled on its way back', async () => {
    const gate = deferred()
    const { begin, clock } = await queued(async (task, name) => {
      if (name === 'works') return gate.promise
      return task.elicit(form('a'))
    })
    const asks = await begin('asks')
    const works = await begin('works')
    await asks.answer({ 'elicit-1': yes })
    await asks.cancel()
    gate.resolve('worked')
    await clock.advance(0)
    expect(await works.value()).toBe('worked')
    expect(await (await begin('works')).value()).toBe('worked')
    expect(await (await begin('asks')).status()).toBe('processing')
  })

  it('stays where the answer is there already', async () => {
    const { cache, clock } = scene()
    const order: string[] = []
    const options = { name: 'ask', asyncTimeout: 0, maxConcurrentTasks: 1, maxRetries: 1 } as const
    const tool = cache.cached(options, async ({ name }: { name: string }, task) => {
      if (name === 'asks') {
        await task.elicit(form('a'))
        if (task.attempt === 1) throw new Error('once more')
      }
      order.push(name)
    })
    const { refId } = await tool({ name: 'asks' }, { interactive: true, actor: ada })
    await clock.advance(0)
    await cache.answerTask(refId, { 'elicit-1': yes }, { actor: ada })
    await clock.advance('5s')
    expect(order).toEqual(['asks'])
  })
})

describe('a question that its handler gives up', () => {
  it.each<[string, (task: TaskContext, signal: AbortSignal) => Promise<unknown>]>([
    ['elicit', (task, signal) => task.elicit(form('a'), { signal })],
    ['sample', (task, signal) => task.sample({ messages: [] }, { signal })],
  ])('is withdrawn, and its handler goes on: task.%s', async (method, ask) => {
    const patience = new AbortController()
    const enough = new Error('waited long enough')
    const { cache, clock, refId, keys, answer, status } = await asking(async task => {
      const first = ask(task, patience.signal).catch((error: unknown) => error)
      const second = task.elicit(form('b'))
      return [(await first) === enough, await second]
    })
    expect(await keys()).toEqual([`${method}-1`, 'elicit-2'])
    patience.abort(enough)
    await clock.advance(0)
    expect(await keys()).toEqual(['elicit-2'])
    // It is on somebody's screen still: what is said there is late, and harms nothing.
    await answer({ [`${method}-1`]: yes })
    expect(await status()).toMatchObject({ status: 'processing' })
    await answer({ 'elicit-2': yes })
    expect(await cache.resolve(refId, { actor: ada })).toEqual([true, yes])
  })

  it('is not asked at all when it was given up before', async () => {
    const { cache, store, refId } = await asking(async task => {
      const signal = AbortSignal.abort(new Error('before'))
      return task.elicit(form('a'), { signal }).catch((error: Error) => error.message)
    })
    expect(await cache.resolve(refId, { actor: ada })).toBe('before')
    expect(await store.get(refId)).not.toHaveProperty('asked')
  })

  it('keeps an answer that was there first', async () => {
    const patience = new AbortController()
    const { cache, refId, clock, answer } = await asking(async task => {
      const got = await task.elicit(form('a'), { signal: patience.signal })
      patience.abort()
      return got
    })
    await answer({ 'elicit-1': yes })
    await clock.advance(0)
    expect(await cache.resolve(refId, { actor: ada })).toEqual(yes)
  })

  it('leaves nothing behind, and its task says that it runs', async () => {
    const patience = new AbortController()
    const { clock, status } = await asking(
      async task => {
        await task.elicit(form('a'), { signal: patience.signal }).catch(() => {})
        return new Promise(() => {})
      },
      { hardTimeout: null },
    )
    const waiting = clock.pending
    patience.abort()
    await clock.advance(0)
    expect(clock.pending).toBe(waiting - 1)
    expect(await status()).toHaveProperty('message', expect.stringContaining('Still running'))
  })

  it('is asked anew by the next run', async () => {
    const { cache, clock, refId, keys, answer } = await asking(
      async task => {
        const patience = new AbortController()
        if (task.attempt === 1) setImmediate(() => patience.abort(new Error('once more')))
        return task.elicit(form('a'), { signal: patience.signal })
      },
      { maxRetries: 1 },
    )
    await clock.advance('5s')
    expect(await keys()).toEqual(['elicit-2'])
    await answer({ 'elicit-2': yes })
    expect(await cache.resolve(refId, { actor: ada })).toEqual(yes)
  })

  it('takes its place again before the handler hears of it', async () => {
    const { begin, clock, gates } = await queuedForOne()
    const patience = new AbortController()
    const order: string[] = []
    const asks = await begin(async task => {
      await task.elicit(form('a'), { signal: patience.signal }).catch(() => order.push('gave up'))
      return 'asks'
    })
    await begin(async () => {
      await gates.promise
      order.push('worked')
    })
    patience.abort()
    await clock.advance(0)
    expect(order).toEqual([])
    gates.resolve(undefined)
    await clock.advance(0)
    expect(order).toEqual(['worked', 'gave up'])
    expect(await asks()).toBe('asks')
  })
})

/** Tasks of which one may run at a time. */
async function queuedForOne() {
  const { cache, clock } = scene()
  const works: Work[] = []
  const tool = cache.cached(
    { name: 'one', asyncTimeout: 0, maxConcurrentTasks: 1 },
    ({ n }: { n: number }, task) => works[n]?.(task),
  )
  const begin = async (work: Work) => {
    const { refId } = await tool({ n: works.push(work) - 1 }, { interactive: true, actor: ada })
    await clock.advance(0)
    return () => cache.resolve(refId, { actor: ada })
  }
  return { begin, clock, gates: deferred() }
}

describe('a handler that is run again', () => {
  const fails = (work: Work): Work => {
    return async task => {
      const got = await work(task)
      if (task.attempt === 1) throw new Error('once more')
      return got
    }
  }

  it('finds the answer of the run before at once, after an automatic retry', async () => {
    const { cache, clock, refId, handler, answer, keys } = await asking(
      fails(async task => [await task.elicit(form('a')), await task.sample({ b: 1, a: 2 })]),
      { maxRetries: 1 },
    )
    await answer({ 'elicit-1': yes })
    await answer({ 'sample-2': { model: 'm' } })
    await clock.advance('5s')
    expect(handler).toHaveBeenCalledTimes(2)
    expect(await keys()).toEqual([])
    expect(await cache.resolve(refId, { actor: ada })).toEqual([yes, { model: 'm' }])
  })

  it('finds it after a retry by hand of a task that was cancelled', async () => {
    const { cache, clock, refId, answer, keys } = await asking(async task => {
      return [await task.elicit(form('a')), await task.elicit(form('b'))]
    })
    await answer({ 'elicit-1': yes })
    await cache.cancelTask(refId, { actor: ada })
    await cache.retryTask(refId, { actor: ada })
    await clock.advance(0)
    // What nobody had answered is asked anew: its old key may still be on somebody's screen.
    expect(await keys()).toEqual(['elicit-3'])
    await answer({ 'elicit-2': { action: 'decline' } })
    expect(await keys()).toEqual(['elicit-3'])
    await answer({ 'elicit-3': { action: 'cancel' } })
    expect(await cache.resolve(refId, { actor: ada })).toEqual([yes, { action: 'cancel' }])
  })

  it('finds it after a retry by hand of a task that failed', async () => {
    const { cache, clock, refId, answer } = await asking(fails(task => task.elicit(form('a'))))
    await answer({ 'elicit-1': yes })
    await cache.retryTask(refId, { actor: ada })
    await clock.advance(0)
    expect(await cache.resolve(refId, { actor: ada })).toEqual(yes)
  })

  it('asks with a fresh key where it asks something else, and forgets what came after that', async () => {
    const { clock, refId, store, answer, keys } = await asking(
      async task => {
        await task.elicit(form('who?'))
        await task.elicit(form(task.attempt === 1 ? 'delete a?' : 'delete b?'))
        await task.elicit(form('sure?'))
        if (task.attempt === 1) throw new Error('once more')
      },
      { maxRetries: 1 },
    )
    await answer({ 'elicit-1': yes })
    await answer({ 'elicit-2': yes })
    await answer({ 'elicit-3': yes })
    await clock.advance('5s')
    expect(await keys()).toEqual(['elicit-4'])
    expect((await store.get(refId))?.questions).toHaveLength(2)
    await answer({ 'elicit-4': yes })
    // "Sure?" is not the question that was answered for another file.
    expect(await keys()).toEqual(['elicit-5'])
  })

  it('finds it in another process that took the task over', async () => {
    const store = memoryStore()
    const {
      refId,
      clock: dead,
      answer,
    } = await asking(
      async task => {
        await task.elicit(form('a'))
        return new Promise(() => {})
      },
      { idempotent: true },
      store,
    )
    await answer({ 'elicit-1': yes })
    await dead.advance(0)
    const clock = new FakeClock()
    const survivor = new RefCache({ name: 't', clock, store })
    survivor.cached({ name: 'ask', idempotent: true }, (_: object, task: TaskContext) =>
      task.elicit(form('a')),
    )
    await clock.advance('1m')
    expect(await survivor.resolve(refId, { actor: ada })).toEqual(yes)
  })

  it('can be answered while no process runs it', async () => {
    const { cache, clock, refId, answer, keys, status } = await asking(
      async task => {
        if (task.attempt > 1) return task.elicit(form('a'))
        return Promise.all([task.elicit(form('a')), Promise.reject(new Error('once more'))])
      },
      { maxRetries: 1 },
    )
    expect(await status()).toMatchObject({ status: 'pending' })
    expect(await keys()).toEqual(['elicit-1'])
    await answer({ 'elicit-1': yes })
    await clock.advance('5s')
    expect(await cache.resolve(refId, { actor: ada })).toEqual(yes)
  })
})

describe('answerTask', () => {
  const twice = (task: TaskContext) => Promise.all([task.elicit(form('a')), task.sample({ b: 1 })])

  it('lets the first answer stand, and passes over what is not asked', async () => {
    const { cache, refId, store, answer } = await asking(twice)
    const others = JSON.parse('{"elicit-7":"nonsense","__proto__":{},"constructor":{}}') as JsonObject
    await answer({ 'elicit-1': yes, ...others })
    const { version } = (await store.get(refId))!
    expect(await answer({ 'elicit-1': { action: 'decline' }, hello: yes })).toMatchObject({
      status: 'processing',
    })
    expect(await answer({})).toMatchObject({ status: 'processing' })
    // An unwanted answer is no sign of life of whoever runs the task.
    expect((await store.get(refId))?.version).toBe(version)
    await answer({ 'sample-2': {} })
    expect(await cache.resolve(refId, { actor: ada })).toEqual([yes, {}])
  })

  it('of two answers at the same time takes one', async () => {
    const { cache, refId, clock } = await asking(task => task.elicit(form('a')))
    const answers = ['accept', 'decline', 'cancel'].map(action =>
      cache.answerTask(refId, { 'elicit-1': { action } }, { actor: ada }),
    )
    await Promise.all(answers)
    await clock.advance(0)
    expect(await cache.resolve(refId, { actor: ada })).toEqual({ action: 'accept' })
  })

  it.each<[string, unknown]>([
    ['no action', { 'elicit-1': {} }],
    ['an unknown action', { 'elicit-1': { action: 'maybe' } }],
    ['content that is no object', { 'elicit-1': { action: 'accept', content: ['x'] } }],
    ['an answer that is no object', { 'elicit-1': 'accept' }],
    ['null for an answer', { 'elicit-1': null }],
    ['a sample that is no object', { 'sample-2': [] }],
    ['what is not JSON', { 'sample-2': { at: new Map() } }],
    ['a list', []],
    ['a string', 'elicit-1'],
    ['null', null],
  ])('refuses %s, and takes nothing of it', async (_, answers) => {
    const { cache, refId, keys } = await asking(twice)
    await expect(cache.answerTask(refId, answers as never, { actor: ada })).rejects.toBeInstanceOf(
      InvalidArgument,
    )
    expect(await keys()).toEqual(['elicit-1', 'sample-2'])
  })

  it('takes none of several answers when one is wrong', async () => {
    const { cache, refId, keys } = await asking(twice)
    const given = { 'elicit-1': yes, 'sample-2': 'wrong' }
    await expect(cache.answerTask(refId, given, { actor: ada })).rejects.toBeInstanceOf(InvalidArgument)
    expect(await keys()).toEqual(['elicit-1', 'sample-2'])
  })

  it('bounds what all answers of a task take', async () => {
    const { cache, refId, answer, keys } = await asking(twice)
    const large = { action: 'accept', content: { text: 'x'.repeat(700 * 1024) } }
    await answer({ 'elicit-1': large })
    const tooMuch = cache.answerTask(refId, { 'sample-2': { ...large } }, { actor: ada })
    await expect(tooMuch).rejects.toBeInstanceOf(ValueTooLarge)
    await answer({ 'sample-2': { text: 'x'.repeat(1024) } })
    expect(await keys()).toEqual([])
  })

  it('answers with the status of a task that has settled', async () => {
    const { cache, refId, answer } = await asking(async task => (await task.elicit(form('a'))).action)
    await answer({ 'elicit-1': yes })
    expect(await answer({ 'elicit-1': { action: 'decline' } })).toMatchObject({ status: 'complete' })
    expect(await cache.resolve(refId, { actor: ada })).toBe('accept')
  })

  it('knows no reference that it does not know, nor one of `set`', async () => {
    const { cache } = scene()
    await expect(cache.answerTask(`t:${'0'.repeat(32)}`, {})).rejects.toBeInstanceOf(NotFound)
    const { refId } = await cache.set('v', 1)
    expect(await cache.answerTask(refId, { 'elicit-1': yes }, { actor: actor.system() })).toMatchObject({
      status: 'complete',
    })
  })
})

describe('who may answer', () => {
  const ask = (policy: AccessPolicy, namespace = 'public') =>
    asking(task => task.elicit(form('a secret?')), { policy, namespace })
  const sees = (response: CallResponse) => JSON.stringify(response).includes('secret')
  const agent = actor.agent({ id: 'helper' })

  it('whoever started the task; somebody who may not see its value is not asked', async () => {
    const open = await ask({ user: 1, agent: 0 })
    expect(sees(await open.status())).toBe(true)
    await open.answer({ 'elicit-1': yes })
    expect(await open.cache.taskStatus(open.refId, { actor: ada })).toMatchObject({ status: 'complete' })
    const hidden = await ask({ user: 16, agent: 16 })
    expect(await hidden.status()).toMatchObject({ status: 'failed', errorCode: 'task_failed' })
    expect(await hidden.cache.inspect(hidden.refId)).toMatchObject({ errorCode: 'input_unavailable' })
    expect(sees(await hidden.status())).toBe(false)
  })

  it('whoever has the UPDATE right, who sees the question only with the READ right', async () => {
    const open = await ask(AccessPolicy.public)
    expect(sees(await open.status(bob))).toBe(true)
    expect(await open.answer({ 'elicit-1': yes }, bob)).toMatchObject({ status: 'processing' })
    const blind = await ask({ user: 16 | 4, agent: 0, owner: 'user:ada' })
    expect(sees(await blind.status(bob))).toBe(false)
    expect(await blind.answer({ 'elicit-1': yes }, bob)).toMatchObject({ status: 'processing' })
    expect(await blind.keys()).toEqual([])
  })

  it('nobody else: they learn that it waits for input, and no word of the question', async () => {
    const { status, cache, refId, keys } = await ask(AccessPolicy.public)
    const seen = await status(agent)
    expect(seen).toHaveProperty('message', expect.stringContaining('Waiting for input'))
    expect(seen).not.toHaveProperty('inputRequests')
    const full = await cache.get(refId, { actor: agent, responseFormat: 'full' })
    expect(sees(full)).toBe(false)
    await expect(cache.answerTask(refId, { 'elicit-1': yes }, { actor: agent })).rejects.toBeInstanceOf(
      PermissionDenied,
    )
    expect(await keys()).toEqual(['elicit-1'])
  })

  it('no stranger, to whom the task does not exist', async () => {
    const { cache, refId, keys } = await ask(AccessPolicy.public, 'user:ada')
    const stranger = cache.answerTask(refId, { 'elicit-1': yes }, { actor: bob })
    await expect(stranger).rejects.toBeInstanceOf(NotFound)
    // Before anything is said of the answers.
    await expect(cache.answerTask(refId, 'nonsense' as never, { actor: bob })).rejects.toBeInstanceOf(
      NotFound,
    )
    expect(await keys()).toEqual(['elicit-1'])
  })
})
