/** A server whose tool is slow enough to become a task, and has a span of its own: a query of a database, say. */

import { McpServer } from '@modelcontextprotocol/server'
import { trace } from '@opentelemetry/api'
import { RefCache } from 'mcp-refcache'
import { attachRefCache } from 'mcp-refcache/mcp'
import { z } from 'zod'

const tracer = trace.getTracer('orders')
export const cache = new RefCache({ name: 'orders' })

export function createServer(): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' })
  const { registerTool } = attachRefCache(server, cache)
  registerTool(
    'export_orders',
    {
      description: 'All orders of a year.',
      inputSchema: { year: z.number(), customer: z.string() },
      asyncTimeout: '100ms',
      memoize: true,
    },
    ({ year }) =>
      tracer.startActiveSpan('select orders', async span => {
        await new Promise(resolve => setTimeout(resolve, 500))
        span.end()
        return Array.from({ length: 3_000 }, (_, n) => ({ order: n, year, total: (n * 37) % 500 }))
      }),
  )
  return server
}
