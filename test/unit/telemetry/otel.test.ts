import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import { channels, isCallHeard, trace as tell } from '../../../src/telemetry/channels.ts'
import type { ServerRequestMessage } from '../../../src/telemetry/messages.ts'
import { instrument } from '../../../src/telemetry/otel/instrument.ts'
import { scene } from '../flow/scene.ts'
import { Exported, isChild, isLinked } from './exported.ts'

let exported: Exported
beforeEach(() => {
  exported = new Exported()
})
afterEach(() => exported.end())

const BIG = Array.from({ length: 2_000 }, (_, n) => ({ n, text: `row ${n}` }))

describe('a call by a program', () => {
  it('is a span that executes a tool, with its attempt as child and link, and what it was shown', async () => {
    await exported.begin()
    const { cache } = scene()
    const tool = cache.cached({ name: 'rows' }, () => BIG)
    await tool({})
    const call = exported.one('execute_tool rows')
    const attempt = exported.one('mcp_refcache.attempt rows')
    const render = exported.one('mcp_refcache.render')
    expect(call.kind).toBe(SpanKind.INTERNAL)
    expect(call.attributes).toMatchObject({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'rows',
      'mcp_refcache.cache.name': 't',
      'mcp_refcache.call.outcome': 'won',
      'mcp_refcache.status': 'complete',
      'mcp_refcache.is_complete': false,
    })
    expect(isChild(attempt, call) && isLinked(attempt, call)).toBe(true)
    expect(isChild(render, call) && isLinked(render, attempt)).toBe(true)
    expect(attempt.attributes['mcp_refcache.value.size']).toBe(JSON.stringify(BIG).length)
    expect(
      new Set([call, attempt, render].map(({ attributes }) => attributes['mcp_refcache.ref.digest'])).size,
    ).toBe(1)
  })

  it('that joins a run, or hits its result, is linked to that run', async () => {
    await exported.begin()
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'slow', memoize: true }, async () => {
      await new Promise<void>(resolve => clock.schedule(1_000, resolve))
      return 1
    })
    const both = Promise.all([tool({}), tool({})])
    await clock.advance('2s')
    await both
    await tool({})
    const attempt = exported.one('mcp_refcache.attempt slow')
    const calls = exported.named('execute_tool slow')
    const outcomeOf = (span: (typeof calls)[number]) => span.attributes['mcp_refcache.call.outcome']
    expect(calls.map(outcomeOf).sort()).toEqual(['hit', 'joined', 'won'])
    for (const call of calls) expect(isLinked(call, attempt)).toBe(outcomeOf(call) !== 'won')
    const counted = await exported.points('mcp_refcache.calls')
    expect(counted).toHaveLength(3)
    for (const { value } of counted) expect(value).toBe(1)
  })

  it('that fails has a class of errors and no words', async () => {
    await exported.begin()
    const { cache } = scene()
    const tool = cache.cached({ name: 'fails' }, () => {
      throw new TypeError('hunter2')
    })
    await expect(tool({})).rejects.toThrow('hunter2')
    for (const name of ['execute_tool fails', 'mcp_refcache.attempt fails']) {
      const span = exported.one(name)
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR })
      expect(span.attributes['error.type']).toBe('TypeError')
      expect(span.events).toEqual([])
    }
  })

  it('leaves a task behind that is its child and linked to it, also where it waits for its turn', async () => {
    await exported.begin()
    const { cache, clock } = scene({ maxConcurrentTasks: 1 })
    const tool = cache.cached(
      { name: 'slow', asyncTimeout: 0, maxRetries: 1 },
      async ({ n }: { n: number }, task) => {
        await new Promise<void>(resolve => clock.schedule(1_000, resolve))
        if (n === 2 && task.attempt === 1) throw new Error('once')
        return n
      },
    )
    await Promise.all([tool({ n: 1 }), tool({ n: 2 })])
    const [first, second] = exported.named('execute_tool slow')
    expect(exported.named('mcp_refcache.attempt slow')).toEqual([])
    expect(await exported.points('mcp_refcache.tasks.live')).toMatchObject([{ value: 2 }])
    await clock.advance('30s')
    const attempts = exported.named('mcp_refcache.attempt slow')
    expect(attempts).toHaveLength(3)
    for (const attempt of attempts) {
      const call = isChild(attempt, first!) ? first! : second!
      expect(isChild(attempt, call) && isLinked(attempt, call)).toBe(true)
    }
    const ofSecond = attempts.filter(attempt => isChild(attempt, second!))
    expect(ofSecond.map(({ attributes }) => attributes['mcp_refcache.attempt'])).toEqual([1, 2])
    expect(isLinked(ofSecond[1]!, ofSecond[0]!)).toBe(true)
    expect(await exported.points('mcp_refcache.tasks.live')).toMatchObject([{ value: 0 }])
    expect(await exported.points('mcp_refcache.tasks.retries')).toMatchObject([{ value: 1 }])
    expect(await exported.points('mcp_refcache.task.wait')).toMatchObject([{ value: { count: 2 } }])
  })

  it('has the spans of its author inside of the attempt, and hangs below the span that is active', async () => {
    await exported.begin()
    const { cache } = scene()
    const tracer = exported.tracerProvider.getTracer('author')
    const inner = cache.cached({ name: 'inner' }, () => 1)
    const tool = cache.cached({ name: 'outer' }, async () => {
      await tracer.startActiveSpan('database', async span => {
        await Promise.resolve()
        span.end()
      })
      return inner.value({})
    })
    await tracer.startActiveSpan('request', async span => {
      await tool({})
      span.end()
    })
    const attempt = exported.one('mcp_refcache.attempt outer')
    expect(isChild(exported.one('execute_tool outer'), exported.one('request'))).toBe(true)
    expect(isChild(exported.one('database'), attempt)).toBe(true)
    expect(isChild(exported.one('execute_tool inner'), attempt)).toBe(true)
  })
})

describe('questions, the store, and what is counted', () => {
  it('a question of a value is a span, and its task is of its trace', async () => {
    await exported.begin()
    const { cache } = scene()
    const { refId } = await cache.set('rows', BIG)
    await cache.query(refId, { search: 'row 1999' })
    const query = exported.one('mcp_refcache.query search')
    expect(query.attributes).toMatchObject({
      'mcp_refcache.query.kind': 'search',
      'mcp_refcache.query.sources': 1,
      'mcp_refcache.call.outcome': 'won',
    })
    expect(isChild(exported.one('mcp_refcache.attempt query_cached_result'), query)).toBe(true)
    expect(exported.named('execute_tool query_cached_result')).toEqual([])
  })

  it('a question of a task is two events of its attempt', async () => {
    await exported.begin()
    const { cache, clock } = scene()
    const tool = cache.cached({ name: 'asks', asyncTimeout: '1m' }, (_: object, task) =>
      task.elicit({ message: 'hunter2?', requestedSchema: { type: 'object', properties: {} } }),
    )
    const { refId } = await tool({}, { interactive: true })
    await clock.advance('1s')
    const { inputRequests } = (await cache.taskStatus(refId)) as { inputRequests: Record<string, unknown> }
    await cache.answerTask(refId, { [Object.keys(inputRequests)[0]!]: { action: 'accept', content: {} } })
    await clock.advance('1s')
    const { events } = exported.one('mcp_refcache.attempt asks')
    expect(events.map(({ name }) => name)).toEqual([
      'mcp_refcache.question.asked',
      'mcp_refcache.question.ended',
    ])
  })

  it('operations of the store are measured, and have spans where those were asked for', async () => {
    await exported.begin()
    const { cache } = scene()
    await cache.cached({ name: 'one', memoize: true }, () => 1)({})
    expect(exported.spans.filter(({ name }) => name.startsWith('mcp_refcache.store'))).toEqual([])
    const points = await exported.points('mcp_refcache.store.operation.duration')
    expect(points.map(({ attributes }) => attributes['mcp_refcache.store.operation'])).toContain('claim')
  })

  it('operations of the store within a trace are spans of it', async () => {
    await exported.begin({ storeSpans: true })
    const { cache, clock } = scene()
    await cache.cached({ name: 'one', memoize: true }, () => 1)({})
    await clock.advance('1m')
    const call = exported.one('execute_tool one')
    expect(isChild(exported.one('mcp_refcache.store claim'), call)).toBe(true)
    // Sweeps are not of any trace.
    expect(exported.named('mcp_refcache.store prune')).toEqual([])
    expect((await exported.points('mcp_refcache.sweep.duration')).length).toBe(1)
  })

  it('tokens kept out, values and removals are counted', async () => {
    await exported.begin()
    const { cache } = scene()
    const tool = cache.cached({ name: 'rows' }, () => BIG)
    const limits = { inline: { tokens: 100 }, ceiling: { tokens: 25_000 }, reads: 'content' } as never
    const { refId } = await tool({}, { limits })
    await cache.delete(refId)
    const [kept] = await exported.points('mcp_refcache.tokens.kept_out')
    expect(kept?.value).toBeGreaterThan(5_000)
    expect(await exported.points('mcp_refcache.value.size')).toMatchObject([{ value: { count: 1 } }])
    expect(await exported.points('mcp_refcache.entries.removed')).toMatchObject([
      { value: 1, attributes: { 'mcp_refcache.removal.reason': 'deleted' } },
    ])
    expect(await exported.points('mcp_refcache.tasks.settled')).toMatchObject([
      { value: 1, attributes: { 'mcp_refcache.status': 'complete' } },
    ])
  })
})

describe('what is private', () => {
  const SECRETS = {
    input: 'SECRET-INPUT',
    value: 'SECRET-VALUE',
    error: 'SECRET-ERROR',
    progress: 'SECRET-PROGRESS',
    session: 'SECRET-SESSION',
    user: 'SECRET-USER',
    code: 'SECRET_CODE',
    asked: 'SECRET-SQL',
  }

  async function work() {
    const { cache, clock } = scene({ logger: { warn() {}, error() {} } })
    const refIds: string[] = []
    const actor = { type: 'user', id: SECRETS.user, sessionId: SECRETS.session } as const
    const tool = cache.cached(
      { name: 'work', namespace: `user:${SECRETS.user}` },
      (args: { fail: boolean }, task) => {
        task.progress(1, 2, SECRETS.progress)
        if (args.fail)
          throw Object.assign(new Error(SECRETS.error), { code: SECRETS.code, name: SECRETS.error })
        return BIG.map(row => ({ ...row, secret: SECRETS.value }))
      },
    )
    const ok = await tool({ fail: false, secret: SECRETS.input } as never, { actor })
    refIds.push(ok.refId)
    await tool({ fail: true, secret: SECRETS.input } as never, { actor }).catch(() => {})
    await cache.query(ok.refId, { search: SECRETS.asked, actor })
    await cache.get(ok.refId, { page: 2, actor })
    await cache.get(`${SECRETS.input}:0`, { actor }).catch(() => {})
    await clock.advance('1m')
    await cache.close()
    return refIds
  }

  it('stays out of spans and metrics', async () => {
    await exported.begin({ storeSpans: true })
    const refIds = await work()
    expect(exported.spans.length).toBeGreaterThan(10)
    const everything = await exported.everything()
    for (const secret of [...Object.values(SECRETS), ...refIds]) expect(everything).not.toContain(secret)
    expect(everything).not.toContain('SECRET')
  })

  it('goes where it was asked for, and no further', async () => {
    await exported.begin({ capture: ['arguments', 'results', 'errors', 'references'] })
    const [refId] = await work()
    const calls = exported.named('execute_tool work')
    expect(calls[0]?.attributes['gen_ai.tool.call.arguments']).toContain(SECRETS.input)
    expect(calls[0]?.attributes['gen_ai.tool.call.result']).toContain(SECRETS.value)
    expect(calls[0]?.attributes['mcp_refcache.ref.id']).toBe(refId)
    expect(calls[1]?.status.message).toBe(SECRETS.error)
    expect(calls[1]?.attributes['error.type']).toBe('_OTHER')
    const everything = await exported.everything()
    for (const secret of [SECRETS.session, SECRETS.user, SECRETS.code])
      expect(everything).not.toContain(secret)
  })

  it('is written no further than it fits', async () => {
    await exported.begin({ capture: ['results'] })
    let written = 0
    const row = { toJSON: () => ({ number: ++written }) }
    const result = Array.from({ length: 100_000 }, () => row)
    await tell(channels.serverRequest, requestOf('large'), async () => result)
    const text = String(exported.named('tools/call large')[0]?.attributes['gen_ai.tool.call.result'])
    expect(text).toHaveLength(16_384)
    expect(text).toMatch(/^\[\{"number":1\},\{"number":2\},/)
    expect(written).toBeLessThan(10_000)
  })
})

function requestOf(tool: string): ServerRequestMessage {
  return { method: 'tools/call', tool, transport: 'tcp', trace: {} }
}

describe('instrument', () => {
  it('tells metrics apart by so many values alone, whoever makes up more', async () => {
    await exported.begin()
    const request = (n: number): ServerRequestMessage => ({
      method: `tools/${n}`,
      tool: `tool ${n}`,
      protocolVersion: `2025-${String(n % 100).padStart(2, '0')}-${String(Math.floor(n / 100)).padStart(2, '0')}`,
      transport: 'tcp',
      trace: {},
      failure: String(-n),
    })
    class Made extends Error {
      constructor(readonly code: string) {
        super('SECRET-WORDS')
      }
    }
    for (let n = 0; n < 1_100; n++) {
      await tell(channels.serverRequest, request(n), async () => {})
      const sweep = tell(channels.sweep, { cache: `cache ${n}` }, () => Promise.reject(new Made(`E${n}A`)))
      await sweep.catch(() => {})
    }
    for (const [metric, most] of [
      [
        'mcp.server.operation.duration',
        {
          'gen_ai.tool.name': 1_001,
          'mcp.method.name': 101,
          'error.type': 101,
          'mcp.protocol.version': 101,
          'rpc.response.status_code': 101,
        },
      ],
      ['mcp_refcache.sweep.duration', { 'mcp_refcache.cache.name': 1_001, 'error.type': 101 }],
    ] as const) {
      const points = await exported.points(metric)
      for (const [attribute, count] of Object.entries(most)) {
        const values = new Set(points.map(({ attributes }) => attributes[attribute]))
        expect(values.size, attribute).toBeLessThanOrEqual(count)
        expect(values, attribute).toContain('_OTHER')
      }
    }
    expect(await exported.everything()).not.toContain('SECRET-WORDS')
  })

  it('refuses what it does not know, and a second time', async () => {
    await expect(instrument({ spans: true } as never)).rejects.toThrow('spans')
    await expect(instrument({ capture: ['values'] as never })).rejects.toThrow("no 'values' to capture")
    await exported.begin()
    await expect(instrument()).rejects.toThrow('instrumented already')
  })

  it('ends: nobody listens any more', async () => {
    await exported.begin()
    expect(isCallHeard()).toBe(true)
    await exported.end()
    expect(isCallHeard()).toBe(false)
    exported = new Exported()
    await exported.begin()
  })

  it('takes the providers that are registered later', async () => {
    await exported.end()
    exported = new Exported()
    await exported.begin({ tracerProvider: undefined, meterProvider: undefined })
    trace.setGlobalTracerProvider(exported.tracerProvider)
    try {
      await using cache = new RefCache({ name: 't' })
      await cache.cached({ name: 'late' }, () => 1)({})
      expect(exported.one('execute_tool late').name).toBe('execute_tool late')
    } finally {
      trace.disable()
    }
  })

  it('harms nobody where a provider fails', async () => {
    const failing = {
      getTracer: () => ({
        startSpan: () => {
          throw new Error('no')
        },
      }),
    }
    await exported.begin({ tracerProvider: failing as never })
    const { cache } = scene()
    expect(await cache.cached({ name: 'one' }, () => 1)({})).toMatchObject({ value: 1 })
    expect(context.active()).toBeDefined()
  })
})
