import { McpServer } from '@modelcontextprotocol/server'
import { AccessPolicy, type RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { z } from 'zod'
import type { Shop } from './shop.ts'

const year = z.int().min(2000).max(2100)
const month = z.int().min(1).max(12)
const readOnly = { annotations: { readOnlyHint: true } }

/** The server of one connection. Its results live in the cache, which outlives it. */
export function createServer(cache: RefCache, shop: Shop): McpServer {
  const server = new McpServer({ name: 'my-server', version: '0.1.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache)

  // Small: the agent gets the result as it is.
  registerTool(
    'count_orders',
    { description: 'How many orders a month has.', inputSchema: z.object({ year, month }), ...readOnly },
    async (when, task) => ({ orders: (await shop.orders(when, task.signal)).length }),
  )

  // Large: the agent gets a preview and a reference, to read pages or to ask in SQL.
  registerTool(
    'list_orders',
    { description: 'All orders of a year.', inputSchema: z.object({ year }), ...readOnly },
    (when, task) => shop.orders(when, task.signal),
  )

  // Slow: after 2 s the agent gets a reference with progress, while the work goes on.
  registerTool(
    'build_report',
    { description: 'Sales by month.', inputSchema: z.object({ year }), asyncTimeout: '2s', ...readOnly },
    async ({ year }, task) => {
      const rows = []
      for (let month = 1; month <= 12; month++) {
        const orders = await shop.orders({ year, month }, task.signal) // stops when the task is cancelled
        rows.push({ month, orders: orders.length, sales: orders.reduce((sum, { total }) => sum + total, 0) })
        task.progress(month, 12, `month ${month} of 12`)
      }
      return rows
    },
  )

  // Private: the agent gets a reference that it can pass on and not read…
  registerTool(
    'load_wages',
    {
      description: 'Everybody’s wage, for the input `numbers` of other tools. You cannot read it.',
      policy: AccessPolicy.executeOnly,
      ...readOnly,
    },
    () => shop.wages(),
  )
  // …to a tool whose result tells nothing of a single person.
  registerTool(
    'average',
    {
      description: 'The average of at least five numbers.',
      inputSchema: z.object({ numbers: z.array(z.number()).min(5) }),
      declassifies: true,
      ...readOnly,
    },
    ({ numbers }) => Math.round(numbers.reduce((sum, n) => sum + n, 0) / numbers.length),
  )

  return server
}
