import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { channels, isCallHeard, isHeard } from '../../../src/telemetry/channels.ts'
import type { Traced } from '../../../src/telemetry/messages.ts'
import { scene, storeWith } from '../flow/scene.ts'

type TraceName = {
  [Name in keyof typeof channels]: 'tracePromise' extends keyof (typeof channels)[Name] ? Name : never
}[keyof typeof channels]
type PlainName = Exclude<keyof typeof channels, TraceName>

const ends: Array<() => void> = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** All messages of what ended on a channel, with which of the five said so. */
function hearTraces(name: TraceName, onStart: (message: Traced) => void = () => {}) {
  const heard: Array<Traced & Record<string, unknown>> = []
  const steps: string[] = []
  const note = (step: string) => () => void steps.push(step)
  const subscribers = {
    start: (message: Traced) => {
      steps.push('start')
      onStart(message)
    },
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: (message: Traced) => {
      steps.push('asyncEnd')
      heard.push(message as never)
    },
    error: note('error'),
  }
  const channel = channels[name] as unknown as {
    subscribe(all: typeof subscribers): void
    unsubscribe(all: typeof subscribers): void
  }
  channel.subscribe(subscribers)
  ends.push(() => channel.unsubscribe(subscribers))
  return { heard, steps }
}

function hearMessages(name: PlainName) {
  const heard: Array<Record<string, unknown>> = []
  const listener = (message: unknown) => void heard.push(message as never)
  channels[name].subscribe(listener)
  ends.push(() => channels[name].unsubscribe(listener))
  return heard
}

describe('the channels of a call', () => {
  it('say what the call asked, what it follows, how it came by that, and what it was answered', async () => {
    const { cache } = scene()
    const { heard, steps } = hearTraces('call')
    const tool = cache.cached({ name: 'double', memoize: true }, ({ n }: { n: number }) => n * 2)
    const [first] = await Promise.all([tool({ n: 1 }), tool({ n: 1 })])
    await tool({ n: 1 })
    expect(heard.map(({ outcome }) => outcome)).toEqual(['won', 'joined', 'hit'])
    expect(new Set(heard.map(({ refId }) => refId))).toEqual(new Set([first.refId]))
    expect(heard[0]).toMatchObject({ cache: 't', tool: 'double', input: { n: 1 }, result: { value: 2 } })
    expect(steps.slice(0, 4)).toEqual(['start', 'end', 'start', 'end'])
  })

  it('tell of calls for a value, too', async () => {
    const { cache } = scene()
    const { heard } = hearTraces('call')
    await cache.cached({ name: 'one' }, () => 1).value({})
    expect(heard).toMatchObject([{ tool: 'one', outcome: 'won', result: 1 }])
  })

  it('bring the error of a call that fails, and of its attempt', async () => {
    const { cache } = scene()
    const calls = hearTraces('call')
    const attempts = hearTraces('attempt')
    const boom = new Error('boom')
    const tool = cache.cached({ name: 'fails' }, () => {
      throw boom
    })
    await expect(tool({})).rejects.toThrow('boom')
    expect(calls.heard).toMatchObject([{ outcome: 'won', error: boom }])
    expect(calls.steps).toContain('error')
    expect(attempts.heard).toMatchObject([{ tool: 'fails', attempt: 1, error: boom }])
  })

  it('name tools as answers do', async () => {
    const { cache } = scene({ toolLabel: name => name.replace('@here', '') })
    const names = [hearTraces('call').heard, hearTraces('attempt').heard, hearTraces('render').heard]
    await cache.cached({ name: 'shown@here' }, () => 1)({})
    expect(names.map(([message]) => message?.tool)).toEqual(['shown', 'shown', 'shown'])
  })

  it('tell of each attempt, until its handler has ended', async () => {
    const { cache, clock } = scene()
    const { heard } = hearTraces('attempt')
    let tries = 0
    const tool = cache.cached({ name: 'flaky', maxRetries: 1 }, () => {
      if (++tries === 1) throw new Error('once')
      return 'done'
    })
    const answer = tool({})
    await clock.advance('10s')
    const { refId } = await answer
    expect(heard).toMatchObject([
      { refId, attempt: 1, error: { message: 'once' } },
      { refId, attempt: 2, result: { valueBytes: 6 } },
    ])
  })

  it('tell of a task from when it is here until it is over, and of all events', async () => {
    const { cache } = scene()
    const tasks = hearMessages('task')
    const events = hearMessages('event')
    const { refId } = await cache.cached({ name: 'one' }, () => 1)({})
    const told = { cache: 't', tool: 'one', refId }
    expect(tasks).toEqual([
      { ...told, state: 'begun' },
      { ...told, state: 'ended' },
    ])
    expect(events.map(({ event }) => (event as { type: string }).type)).toEqual([
      'task:started',
      'task:settled',
    ])
    expect(events[0]?.cache).toBe('t')
  })
})

describe('the channels of values', () => {
  it('tell of what is shown, and of questions', async () => {
    const { cache } = scene({ preview: { maxSize: 50 } })
    const renders = hearTraces('render')
    const queries = hearTraces('query')
    const { refId } = await cache.set(
      'rows',
      Array.from({ length: 100 }, (_, n) => ({ n })),
    )
    await cache.get(refId, { page: 2 })
    expect(renders.heard).toMatchObject([{ cache: 't', refId, result: { page: 2 } }])
    await cache.query(refId, { search: '42' })
    expect(queries.heard).toMatchObject([{ cache: 't', refId, kind: 'search', sources: 1 }])
    expect(JSON.stringify(Object.keys(queries.heard[0] ?? {}))).not.toContain('42')
  })

  it('tell of what an answer saved and cost', async () => {
    const { cache } = scene()
    const savings = hearMessages('savings')
    const tool = cache.cached({ name: 'list' }, () => Array.from({ length: 5_000 }, (_, n) => n))
    const limits = { inline: { tokens: 100 }, ceiling: { tokens: 25_000 }, reads: 'content' } as never
    await tool({}, { limits })
    expect(savings).toHaveLength(1)
    expect(savings[0]).toMatchObject({ cache: 't', pagedIn: 0 })
    expect(savings[0]?.keptOut).toBeGreaterThan(1_000)
    expect(savings[0]?.added).toBeGreaterThan(10)
  })
})

describe('the channels of the store and of the process', () => {
  it('tell of each operation, also of one that fails', async () => {
    const down = { value: false }
    const inner = memoryStore()
    const store = storeWith(inner, {
      get: async refId => {
        if (down.value) throw new StoreUnavailable('away')
        return inner.get(refId)
      },
    })
    const { cache } = scene({ store, logger: { warn() {}, error() {} } })
    const { heard } = hearTraces('store')
    const { refId } = await cache.set('one', 1)
    await cache.get(refId)
    expect(heard.map(({ operation }) => operation)).toEqual(expect.arrayContaining(['claim', 'get', 'read']))
    expect(new Set(heard.map(one => one.cache))).toEqual(new Set(['t']))
    down.value = true
    await expect(cache.get(refId)).rejects.toThrow('away')
    expect(heard.at(-1)).toMatchObject({ operation: 'get', error: { code: 'store_unavailable' } })
  })

  it('tell of sweeps, and of a process that cannot say that it lives', async () => {
    const store = storeWith(memoryStore(), { beat: () => Promise.reject(new StoreUnavailable('away')) })
    const { cache, clock } = scene({ store, logger: { warn() {}, error() {} } })
    const sweeps = hearTraces('sweep')
    const missed = hearMessages('missedBeat')
    await cache.cached({ name: 'long', asyncTimeout: 0 }, () => new Promise(() => {}))({})
    await clock.advance('11s')
    expect(sweeps.heard[0]).toMatchObject({ cache: 't' })
    expect(missed).toMatchObject([{ cache: 't', error: { code: 'store_unavailable' } }])
  })

  it('tell of questions of a task, from when it asks until it is answered', async () => {
    const { cache, clock } = scene()
    const { heard, steps } = hearTraces('question')
    const tool = cache.cached({ name: 'asks', asyncTimeout: '1m' }, (_: object, task) =>
      task.elicit({ message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }),
    )
    const { refId } = await tool({}, { interactive: true })
    await clock.advance('1s')
    expect(steps).toEqual(['start', 'end'])
    const { inputRequests } = (await cache.taskStatus(refId)) as { inputRequests: Record<string, unknown> }
    const [key] = Object.keys(inputRequests)
    await cache.answerTask(refId, { [key as string]: { action: 'accept', content: {} } })
    await clock.advance('1s')
    expect(heard).toMatchObject([{ tool: 'asks', refId, method: 'elicitation/create' }])
  })
})

describe('a subscriber', () => {
  it('may put the work into a context of its own, which the handler then runs in', async () => {
    const { cache, clock } = scene({ maxConcurrentTasks: 1 })
    const storage = new AsyncLocalStorage<string>()
    hearTraces('call', message => {
      const { input } = message as unknown as { input: { n: number } }
      message.around = work => storage.run(`call ${input.n}`, work)
    })
    hearMessages('task')
    const seen: Array<string | undefined> = []
    const tool = cache.cached({ name: 'slow', asyncTimeout: 0 }, async ({ n }: { n: number }) => {
      seen.push(storage.getStore())
      await new Promise<void>(resolve => clock.schedule(1_000, resolve))
      seen.push(storage.getStore())
      return n
    })
    await Promise.all([tool({ n: 1 }), tool({ n: 2 })])
    await clock.advance('5s')
    // The second one begins where the first one ends, and is none of its work.
    expect(seen).toEqual(['call 1', 'call 1', 'call 2', 'call 2'])
  })

  it('hears of the end of a task in the context of its call, whoever or whatever ended it', async () => {
    const { cache, clock } = scene()
    const storage = new AsyncLocalStorage<string>()
    hearTraces('call', message => {
      const { input } = message as unknown as { input: { n: number } }
      message.around = work => storage.run(`call ${input.n}`, work)
    })
    const ended: Array<string | undefined> = []
    const listener = ({ state }: { state: string }) =>
      void (state === 'ended' && ended.push(storage.getStore()))
    channels.task.subscribe(listener)
    ends.push(() => channels.task.unsubscribe(listener))
    const aborted: Array<string | undefined> = []
    const tool = cache.cached(
      { name: 'slow', asyncTimeout: 0, hardTimeout: '1m' },
      (_: { n: number }, { signal }) => {
        signal.addEventListener('abort', () => aborted.push(storage.getStore()))
        return new Promise<never>(() => {})
      },
    )
    const calls = [1, 2, 3].map(n => tool({ n }))
    const [, , third] = await Promise.all(calls)
    await clock.advance('1s')
    await storage.run('cancel', () => cache.cancelTask(third?.refId ?? ''))
    await clock.advance('1h')
    expect(ended).toEqual(['call 3', 'call 1', 'call 2'])
    // Who cancels runs what listens, as with any signal; time is nobody's.
    expect(aborted).toEqual(['cancel', 'call 1', 'call 2'])
  })
})

describe('when nobody listens', () => {
  it('no message is made and nothing is published: one read of hasSubscribers an event', async () => {
    expect(isCallHeard()).toBe(false)
    const reads: Record<string, number> = {}
    const spies = Object.entries(channels).flatMap(([name, channel]) => {
      Object.defineProperty(channel, 'hasSubscribers', {
        configurable: true,
        get() {
          reads[name] = (reads[name] ?? 0) + 1
          return false
        },
      })
      ends.push(() => Reflect.deleteProperty(channel, 'hasSubscribers'))
      return [
        ...('tracePromise' in channel ? [vi.spyOn(channel, 'tracePromise')] : []),
        ...('publish' in channel ? [vi.spyOn(channel, 'publish')] : []),
      ]
    })
    const toolLabel = vi.fn((name: string) => name)
    const { cache } = scene({ toolLabel })
    const tool = cache.cached({ name: 'one' }, () => [1, 2, 3])
    expect(await tool({})).toMatchObject({ status: 'complete', value: [1, 2, 3] })
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
    expect(toolLabel).not.toHaveBeenCalled()
    // Task: begun, ended; whose context its steps and its time limit have. Event: started, settled.
    expect(reads).toMatchObject({ call: 1, attempt: 1, render: 1, task: 4, event: 2 })
    expect(reads.store).toBe(2)
    for (const spy of spies) spy.mockRestore()
  })

  it('asks of a call without an entry only what the call would say', () => {
    const quiet = { sweep: true, take: true, missedBeat: true, announce: true, query: true, question: true }
    for (const [name, channel] of Object.entries(channels)) {
      const listen = () => {}
      const one = 'start' in channel ? channel.start : channel
      one.subscribe(listen)
      // A call without an entry costs the store nothing.
      expect(isCallHeard(), name).toBe(name !== 'store' && !Object.hasOwn(quiet, name))
      one.unsubscribe(listen)
    }
  })

  it('knows it on a Node that says it of the five channels alone', () => {
    const parts = (heard: boolean) => ({
      start: { hasSubscribers: false },
      end: { hasSubscribers: false },
      asyncStart: { hasSubscribers: false },
      asyncEnd: { hasSubscribers: heard },
      error: { hasSubscribers: false },
    })
    expect(isHeard(parts(false))).toBe(false)
    expect(isHeard(parts(true))).toBe(true)
  })
})
