/**
 * A server whose slow tool is a task of MCP to clients that know tasks (protocol revision 2026-07-28, the extension
 * io.modelcontextprotocol/tasks), and a reference to poll for all others. Over HTTP. Run it with `client.ts` beside it.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS, withTaskNotifications } from 'mcp-refcache/mcp'
import { z } from 'zod'

const cache = new RefCache({ name: 'orders' })

function createOrdersServer(): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache, { asyncTimeout: '1s' })

  registerTool(
    'export_orders',
    {
      description: 'The number of orders of a year.',
      inputSchema: z.object({ year: z.int() }),
      annotations: { readOnlyHint: true },
    },
    async ({ year }, task) => {
      for (let month = 1; month <= 12; month++) {
        await sleep(150, undefined, { signal: task.signal })
        task.progress(month, 12, `month ${month} of 12`)
      }
      return { year, orders: 1_200 }
    },
  )

  registerTool(
    'delete_orders',
    {
      description: 'Deletes the orders of a year, when its user agrees.',
      inputSchema: z.object({ year: z.int() }),
    },
    async ({ year }, task) => {
      const { action } = await task.elicit({
        message: `Delete all orders of ${year}?`,
        requestedSchema: { type: 'object', properties: {} },
      })
      return { deleted: action === 'accept' ? 1_200 : 0 }
    },
  )
  return server
}

// Push needs the wrapper; polling does without.
const serve = toNodeHandler(withTaskNotifications(createMcpHandler(createOrdersServer)))
const http = createServer((request, response) => void serve(request as never, response))
http.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`))

process.once('SIGTERM', () => {
  http.close()
  // Running tasks may finish.
  cache.close({ drain: '10s' }).finally(() => process.exit())
})
