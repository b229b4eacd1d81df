/**
 * A server of your own with references. Its one tool takes seconds and gives a long list; agents get a handle with
 * progress, then pages. Run it with `client.ts` beside it.
 */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { z } from 'zod'

const cache = new RefCache({ name: 'orders' })

serveStdio(() => {
  const server = new McpServer({ name: 'orders', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache)

  registerTool(
    'export_orders',
    {
      description: 'All orders of a year.',
      inputSchema: z.object({ year: z.int() }),
      outputSchema: z.array(z.object({ id: z.int(), total: z.number() })),
      annotations: { readOnlyHint: true, idempotentHint: true },
      // Its author knows how long an answer stays true; no hint says that.
      memoize: true,
      ttl: '10m',
      asyncTimeout: '500ms',
    },
    async ({ year }, task) => {
      const orders = []
      for (let month = 1; month <= 12; month++) {
        orders.push(...(await ordersOf(year, month)))
        task.progress(month, 12, `month ${month} of 12`)
      }
      return orders
    },
  )
  return server
})

// Running tasks get the time that a client leaves its server to end.
const stop = () => cache.close({ drain: '3s' }).finally(() => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
process.stdin.once('end', stop)

async function ordersOf(year: number, month: number): Promise<Array<{ id: number; total: number }>> {
  await new Promise(resolve => setTimeout(resolve, 150))
  return Array.from({ length: 100 }, (_, n) => ({ id: (year * 100 + month) * 1_000 + n, total: n * 1.5 }))
}
