/**
 * One trace through a client and a server: the agent's span, the request, the task that outlives it, and the author's own span.
 * Ends well only if all of it was really exported, and nothing private with it.
 *
 *     npm run build && node examples/tracing/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { context, propagation, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { instrument } from 'mcp-refcache/otel'
import { pointsOf, shutdown, spans } from './sdk.ts'
import { cache, createServer } from './server.ts'

const instrumentation = await instrument()
const server = createServer()
const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
await server.connect(serverSide)
const client = new Client({ name: 'agent', version: '1.0.0' })
await client.connect(clientSide)

/** A call with the trace that is active, as `_meta` carries it. A client that is instrumented does this by itself. */
async function call(name: string, args: Record<string, unknown>) {
  const _meta: Record<string, unknown> = {}
  propagation.inject(context.active(), _meta)
  const { structuredContent } = await client.callTool({ name, arguments: args, _meta })
  return structuredContent as Record<string, unknown>
}

await trace.getTracer('agent').startActiveSpan('answer the user', async span => {
  // The call waits for a tenth of a second, and is answered with a handle; the work takes half a second.
  const handle = await call('export_orders', { year: 2025, customer: 'Ada Lovelace' })
  assert.equal(handle.status, 'processing')
  const preview = await call('get_cached_result', { ref_id: handle.ref_id, wait_seconds: 20 })
  assert.equal(preview.status, 'complete')
  await call('export_orders', { year: 2025, customer: 'Ada Lovelace' })
  span.end()
})

function one(name: string, outcome?: string): ReadableSpan {
  const found = spans().filter(
    span =>
      span.name === name &&
      (outcome === undefined || span.attributes['mcp_refcache.call.outcome'] === outcome),
  )
  assert.equal(found.length, 1, `${name} ${outcome ?? ''}: ${found.length}`)
  return found[0] as ReadableSpan
}
const isChild = (span: ReadableSpan, parent: ReadableSpan) =>
  span.parentSpanContext?.spanId === parent.spanContext().spanId
const isLinked = (span: ReadableSpan, to: ReadableSpan) =>
  span.links.some(link => link.context.spanId === to.spanContext().spanId)

// The agent's span, below it the request, below that the task's attempt, and in it the author's own.
const agent = one('answer the user')
const request = one('tools/call export_orders', 'won')
const attempt = one('mcp_refcache.attempt export_orders')
assert.ok(isChild(request, agent))
assert.ok(isChild(attempt, request))
assert.ok(isChild(one('select orders'), attempt))
assert.equal(new Set(spans().map(span => span.spanContext().traceId)).size, 1)

// The task went on when the request was over, so it is linked to it. A later call that hits its result is linked to the task.
assert.equal(request.attributes['mcp_refcache.status'], 'processing')
assert.ok(isLinked(attempt, request))
assert.ok(isLinked(one('tools/call export_orders', 'hit'), attempt))

const durations = await pointsOf('mcp.server.operation.duration')
assert.equal(durations.length, 2, 'one series a tool')
const [kept] = await pointsOf('mcp_refcache.tokens.kept_out')
assert.ok(Number(kept?.value) > 10_000)

// Names, numbers and digests are exported. Arguments, values and references are not.
const exported = JSON.stringify(spans().map(({ name, attributes, events }) => ({ name, attributes, events })))
assert.ok(!exported.includes('Lovelace'))
assert.ok(!/orders:[0-9a-f]{32}/.test(exported))

await client.close()
await server.close()
await cache.close()
instrumentation.end()
await shutdown()
console.log(
  `All was seen: ${spans().length} spans of one trace, and ${Math.round(Number(kept?.value))} tokens kept out.`,
)
