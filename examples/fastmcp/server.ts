/**
 * A fastmcp server with references. Its one tool takes seconds and gives a long list; agents get a handle with
 * progress, then pages. Run it with `client.ts` beside it.
 */
import { FastMCP } from 'fastmcp'
import { RefCache } from 'mcp-refcache'
import { addPollingTools, refcacheTool, SERVER_INSTRUCTIONS } from 'mcp-refcache/fastmcp'
import { z } from 'zod'

const cache = new RefCache({ name: 'orders' })
const server = new FastMCP({ name: 'orders', version: '1.0.0', instructions: SERVER_INSTRUCTIONS })

server.addTool(
  refcacheTool(cache, {
    name: 'export_orders',
    description: 'All orders of a year.',
    parameters: z.object({ year: z.int() }),
    annotations: { readOnlyHint: true, idempotentHint: true },
    // Its author knows how long an answer stays true; no hint says that.
    memoize: true,
    ttl: '10m',
    asyncTimeout: '500ms',
    execute: async ({ year }, task, context) => {
      context?.log.info('exporting', { year })
      const orders = []
      for (let month = 1; month <= 12; month++) {
        orders.push(...(await ordersOf(year, month)))
        task.progress(month, 12, `month ${month} of 12`)
      }
      return orders
    },
  }),
)
addPollingTools(server, cache)

// Running tasks get the time that a client leaves its server to end.
const stop = () => cache.close({ drain: '3s' }).finally(() => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
process.stdin.once('end', stop)

await server.start({ transportType: 'stdio' })

async function ordersOf(year: number, month: number): Promise<Array<{ id: number; total: number }>> {
  await new Promise(resolve => setTimeout(resolve, 150))
  return Array.from({ length: 100 }, (_, n) => ({ id: (year * 100 + month) * 1_000 + n, total: n * 1.5 }))
}
