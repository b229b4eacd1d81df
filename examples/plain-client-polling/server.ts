/**
 * A server on stdio with a slow tool, for clients that know nothing of tasks. Run it with `client.ts` beside it. Nothing in
 * it is about such clients: `attachRefCache` does it all.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { z } from 'zod'

const cache = new RefCache({ name: 'orders' })

serveStdio(() => {
  const server = new McpServer({ name: 'orders', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache, { asyncTimeout: '300ms' })
  let runs = 0

  registerTool(
    'export_orders',
    {
      description: 'The orders of a year.',
      inputSchema: z.object({ year: z.int() }),
      annotations: { readOnlyHint: true, idempotentHint: true },
    },
    async ({ year }, task) => {
      runs++
      for (let month = 1; month <= 12; month++) {
        await sleep(100, undefined, { signal: task.signal })
        task.progress(month, 12, `month ${month} of 12`)
      }
      return { year, runs, orders: Array.from({ length: 1_200 }, (_, order) => ({ order, year })) }
    },
  )
  registerTool(
    'count_orders',
    { inputSchema: z.object({ export: z.object({ orders: z.array(z.unknown()) }) }) },
    args => args.export.orders.length,
  )
  return server
})

// Running tasks get the time that a client leaves its server to end.
const stop = () => cache.close({ drain: '3s' }).finally(() => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
process.stdin.once('end', stop)
