import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { createClient } from '@redis/client'
import { Queue } from 'bullmq'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bullmqDispatcher, runWorker } from '../../src/execution/bullmq/index.ts'
import { attachRefCache } from '../../src/mcp/attach.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { redisStore } from '../../src/stores/redis.ts'
import type { InstrumentOptions } from '../../src/telemetry/otel/instrument.ts'
import { StdioChannel } from '../../src/wrap/channels/stdio-channel.ts'
import { nameAtServer } from '../../src/wrap/tools/names.ts'
import { redisIsInstalled, startRedis } from '../redis-server.ts'
import { Exported, isChild, isLinked } from '../unit/telemetry/exported.ts'
import { Wired } from '../unit/wrap/wired.ts'
import { PipeTransport } from './fixtures/served-here.ts'
import { MAIN, PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`
const META = { traceparent: TRACEPARENT, tracestate: 'vendor=1', baggage: 'tenant=acme' }

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function exporting(options: InstrumentOptions = {}): Promise<Exported> {
  const exported = new Exported()
  await exported.begin(options)
  ends.push(() => exported.end())
  return exported
}

type Answer = Record<string, unknown> & { structuredContent?: Record<string, unknown> }

/** A server of this package's adapter with a client of the SDK at its end. */
async function attached() {
  const cache = new RefCache({ name: 'served' })
  const server = new McpServer({ name: 'served', version: '1.0.0' })
  const attachment = attachRefCache(server, cache)
  const seen: Array<Record<string, unknown>> = []
  attachment.registerTool('rows', { inputSchema: { count: z.number() } }, async ({ count }) => {
    await Promise.resolve()
    const { traceId } = trace.getActiveSpan()?.spanContext() ?? {}
    seen.push({ traceId, baggage: propagation.getActiveBaggage()?.getEntry('tenant')?.value })
    return Array.from({ length: count }, (_, n) => ({ n, name: `row ${n}` }))
  })
  attachment.registerTool('fails', {}, () => {
    throw new Error('hunter2')
  })
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  await server.connect(serverSide)
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(clientSide)
  ends.push(async () => {
    await client.close()
    await server.close()
    await cache.close()
  })
  const call = (name: string, args: Record<string, unknown> = {}, _meta: Record<string, unknown> = {}) =>
    client.callTool({ name, arguments: args, _meta }) as Promise<Answer>
  return { call, seen, cache }
}

describe('a request of a client', () => {
  it('is a server span below the span of the client, whose baggage its handler sees', async () => {
    const exported = await exporting()
    const { call, seen } = await attached()
    await call('rows', { count: 3 }, META)
    const request = exported.one('tools/call rows')
    expect(request.kind).toBe(SpanKind.SERVER)
    expect(request.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: PARENT, isRemote: true })
    expect(request.parentSpanContext?.traceState?.get('vendor')).toBe('1')
    expect(request.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'rows',
      'network.transport': 'pipe',
      'mcp_refcache.call.outcome': 'won',
      'mcp_refcache.status': 'complete',
    })
    expect(request.attributes['mcp.protocol.version']).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    expect(exported.named('execute_tool rows')).toEqual([])
    const attempt = exported.one('mcp_refcache.attempt rows')
    expect(isChild(attempt, request) && isLinked(attempt, request)).toBe(true)
    expect(seen).toEqual([{ traceId: TRACE, baggage: 'acme' }])
  })

  it('links what was active before, such as a span of HTTP', async () => {
    const exported = await exporting()
    const { call } = await attached()
    await exported.tracerProvider.getTracer('http').startActiveSpan('POST /mcp', async span => {
      await call('rows', { count: 3 }, META)
      await call('rows', { count: 4 })
      span.end()
    })
    const [withClient, without] = exported.named('tools/call rows')
    const http = exported.one('POST /mcp')
    expect(withClient?.parentSpanContext?.spanId).toBe(PARENT)
    expect(isLinked(withClient!, http)).toBe(true)
    expect(isChild(without!, http)).toBe(true)
    expect(without?.links).toEqual([])
  })

  it.each([
    ['malformed', { traceparent: 'hello', tracestate: '=', baggage: ';;;' }],
    ['of another type', { traceparent: 7, tracestate: {}, baggage: [] }],
    ['huge', { traceparent: TRACEPARENT + '0'.repeat(100_000), baggage: `a=${'b'.repeat(1_000_000)}` }],
    ['all zeros', { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }],
  ])('whose trace is %s begins a trace of its own, and is no error', async (_, meta) => {
    const exported = await exporting()
    const { call, seen } = await attached()
    expect((await call('rows', { count: 1 }, meta)).isError).toBeFalsy()
    const request = exported.one('tools/call rows')
    expect(request.parentSpanContext).toBeUndefined()
    expect(seen).toEqual([{ traceId: request.spanContext().traceId, baggage: undefined }])
  })

  it('that polls is a span, too, and what it is shown is linked to the run', async () => {
    const exported = await exporting()
    const { call } = await attached()
    const { structuredContent } = await call('rows', { count: 5_000 })
    const ref_id = structuredContent?.ref_id
    await call('get_cached_result', { ref_id, page: 2 })
    const poll = exported.one('tools/call get_cached_result')
    const shown = exported.named('mcp_refcache.render').find(span => isChild(span, poll))
    expect(isLinked(shown!, exported.one('mcp_refcache.attempt rows'))).toBe(true)
    expect(shown?.attributes['mcp_refcache.page']).toBe(2)
    const durations = await exported.points('mcp.server.operation.duration')
    const tools = durations.map(({ attributes }) => attributes['gen_ai.tool.name'])
    expect(tools.sort()).toEqual(['get_cached_result', 'rows'])
  })

  it('that fails is a tool_error without words', async () => {
    const exported = await exporting()
    const { call } = await attached()
    await call('fails')
    const request = exported.one('tools/call fails')
    expect(request.attributes['error.type']).toBe('tool_error')
    expect(request.status).toEqual({ code: 2 })
    expect(await exported.everything()).not.toContain('hunter2')
    const [duration] = await exported.points('mcp.server.operation.duration')
    expect(duration?.attributes['error.type']).toBe('tool_error')
  })
})

/** A server of the SDK, on pipes, that answers a call with the `_meta` that it got. */
function metaServer(): StdioChannel {
  const [input, output] = [new PassThrough(), new PassThrough()]
  serveStdio(
    () => {
      const server = new McpServer({ name: 'inner', version: '1.0.0' })
      const answer = (_: unknown, context: { mcpReq: { _meta?: unknown } }) => ({
        content: [{ type: 'text' as const, text: JSON.stringify(context.mcpReq._meta ?? {}) }],
      })
      server.registerTool('meta', { inputSchema: z.object({}), annotations: { readOnlyHint: true } }, answer)
      server.registerTool('fails', { inputSchema: z.object({}) }, () => ({
        isError: true,
        content: [{ type: 'text' as const, text: 'hunter2' }],
      }))
      return server
    },
    { transport: new StdioServerTransport(input, output) },
  )
  return new StdioChannel(output, input)
}

/** That server behind `wrap`, with a client of the SDK in front. */
async function wrapped(memoize: boolean, mode: 'legacy' | 'auto') {
  const [toServer, fromServer] = [new PassThrough(), new PassThrough()]
  const wired = await Wired.open(() => {}, {
    cache: new RefCache({ name: 'wrapped', toolLabel: nameAtServer }),
    channel: async () => metaServer(),
    client: new StdioChannel(toServer, fromServer),
    settings: { defaults: { memoize }, tools: {} },
  })
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } })
  await client.connect(new PipeTransport({ toServer, fromServer }))
  ends.push(async () => {
    await client.close()
    await wired.close()
  })
  return async (name: string, _meta: Record<string, unknown>) => {
    const { content } = (await client.callTool({ name, arguments: {}, _meta })) as unknown as {
      content: Array<{ text: string }>
    }
    return content[0]?.text ?? ''
  }
}

describe.each(['legacy', 'auto'] as const)('behind wrap, with a client that speaks %s', mode => {
  it('the server is sent the span of the wrapper, which is of the trace of the client', async () => {
    const exported = await exporting()
    const call = await wrapped(false, mode)
    const meta = JSON.parse(await call('meta', META)) as Record<string, string>
    const request = exported.named('tools/call meta').find(({ kind }) => kind === SpanKind.SERVER)
    const asked = exported.named('tools/call meta').find(({ kind }) => kind === SpanKind.CLIENT)
    const attempt = exported.one('mcp_refcache.attempt meta')
    expect(request?.parentSpanContext?.spanId).toBe(PARENT)
    expect(isChild(attempt, request!)).toBe(true)
    expect(isChild(asked!, attempt)).toBe(true)
    expect(meta.traceparent).toBe(`00-${TRACE}-${asked?.spanContext().spanId}-01`)
    expect(meta).toMatchObject({ tracestate: 'vendor=1', baggage: 'tenant=acme' })
    expect(asked?.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'meta',
      'network.transport': 'pipe',
    })
    const durations = await exported.points('mcp.client.operation.duration')
    expect(durations.map(({ attributes }) => attributes['mcp.method.name'])).toContain('tools/call')
  })

  it.each([false, true])(
    'without OpenTelemetry the server is sent what came (memoized: %s)',
    async memoize => {
      const call = await wrapped(memoize, mode)
      const meta = JSON.parse(await call('meta', META)) as Record<string, string>
      expect(meta).toMatchObject({ traceparent: TRACEPARENT, tracestate: 'vendor=1' })
      // A memoized answer is for others, too: it may only depend on what says nothing of the caller.
      expect(meta.baggage).toBe(memoize ? undefined : META.baggage)
    },
  )

  it('memoized calls of different traces are one call: the second is linked to the run of the first', async () => {
    const exported = await exporting()
    const call = await wrapped(true, mode)
    const first = await call('meta', META)
    const other = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
    // The answer says its age in a further block.
    expect(await call('meta', { traceparent: other })).toContain(first)
    const requests = exported.named('tools/call meta').filter(({ kind }) => kind === SpanKind.SERVER)
    expect(requests.map(({ attributes }) => attributes['mcp_refcache.call.outcome'])).toEqual(['won', 'hit'])
    expect(isLinked(requests[1]!, exported.one('mcp_refcache.attempt meta'))).toBe(true)
    expect(requests[1]?.spanContext().traceId).toBe('1'.repeat(32))
  })

  it("an error of the server's is a tool_error on both sides, without words", async () => {
    const exported = await exporting()
    const call = await wrapped(false, mode)
    await call('fails', {})
    const spans = exported.named('tools/call fails')
    expect(spans.map(({ kind }) => kind).sort()).toEqual([SpanKind.SERVER, SpanKind.CLIENT])
    for (const { attributes } of spans) expect(attributes['error.type']).toBe('tool_error')
    expect(await exported.everything()).not.toContain('hunter2')
  })
})

describe.skipIf(!redisIsInstalled)('over BullMQ', () => {
  it('an attempt in a worker is below its call, and the job carries the traceparent alone', async () => {
    const redis = await startRedis()
    ends.push(() => redis.stop())
    const exported = await exporting()
    const open = () =>
      new RefCache({
        name: 'queued',
        store: redisStore(redis.url),
        dispatcher: bullmqDispatcher({ connection: redis.url }),
      })
    const tools = (cache: RefCache) => cache.cached({ name: 'far' }, () => ({ done: true }))
    const [front, back] = [open(), open()]
    const worker = await runWorker(back, { tools })
    ends.push(async () => {
      await worker.close()
      await front.close()
    })
    const call = tools(front)
    const tracer = exported.tracerProvider.getTracer('test')
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } })
    await context.with(propagation.setBaggage(context.active(), baggage), () =>
      tracer.startActiveSpan('request', async span => {
        await call({})
        span.end()
      }),
    )
    const attempt = exported.one('mcp_refcache.attempt far')
    const called = exported.one('execute_tool far')
    expect(isChild(attempt, called) && isLinked(attempt, called)).toBe(true)
    expect(attempt.parentSpanContext?.isRemote).toBe(true)
    const { traceId, spanId } = called.spanContext()
    const stored = await jobDataOf(redis.url)
    expect(stored).toHaveLength(1)
    const [, parent, ...others] = Object.values(stored[0] ?? {})
    expect([parent, others]).toEqual([`00-${traceId}-${spanId}-01`, []])
  })
})

/** What the jobs of the queue hold. */
async function jobDataOf(url: string): Promise<Array<Record<string, unknown>>> {
  const connection = createClient({ url }).on('error', () => {})
  const queue = new Queue('mcp-refcache-queued', { connection: connection as never })
  try {
    return (await queue.getJobs()).map(job => job.data)
  } finally {
    await queue.close()
    connection.destroy()
  }
}

describe('mcp-refcache wrap --otel', () => {
  const SDK = fileURLToPath(new URL('./fixtures/otel-to-file.mjs', import.meta.url))

  it('exports by the SDK that node loads with --import, all of it before it ends', async () => {
    const workshop = new Workshop()
    ends.push(() => workshop.close())
    const file = join(workshop.folder, 'spans.jsonl')
    const { client } = await workshop.connect(
      [process.execPath, '--import', SDK, MAIN, 'wrap', '--store', 'memory', '--otel', '--', ...PLAIN],
      { env: { SPANS: file } },
    )
    await client.callTool({ name: 'echo-params', arguments: { text: 'hunter2' }, _meta: META })
    await client.close()
    const text = await until(
      () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined),
      'spans of the wrapper',
    )
    const spans = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    const ofCall = spans.filter(({ name }) => name === 'tools/call echo-params')
    expect(ofCall.map(({ kind, traceId }) => [kind, traceId]).sort()).toEqual([
      [SpanKind.SERVER, TRACE],
      [SpanKind.CLIENT, TRACE],
    ])
    expect(ofCall.find(({ kind }) => kind === SpanKind.SERVER)?.parent).toBe(PARENT)
    expect(text).not.toContain('hunter2')
  })

  it('says that no SDK is there to export anything', async () => {
    const workshop = new Workshop()
    ends.push(() => workshop.close())
    const { client, stderr } = await workshop.clientOfProcess(PLAIN, { wrap: ['--otel'] })
    await client.callTool({ name: 'echo-params', arguments: { text: 'a' } })
    expect(stderr()).toContain('[otel_not_registered]')
  })
})
