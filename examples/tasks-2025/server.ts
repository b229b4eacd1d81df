/**
 * A server on stdio whose slow tool can be called as a task (protocol revision 2025-11-25). Run it with `client.ts` beside
 * it. Nothing in it is about tasks: `attachRefCache` does it all.
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
  const { registerTool } = attachRefCache(server, cache, { asyncTimeout: '1s' })

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
      if (action !== 'accept') return { deleted: 0 }
      for (let month = 1; month <= 12; month++) {
        await sleep(100, undefined, { signal: task.signal })
        task.progress(month, 12, `month ${month} of 12`)
      }
      return { deleted: 1_200 }
    },
  )
  return server
})

// Running tasks get the time that a client leaves its server to end.
const stop = () => cache.close({ drain: '3s' }).finally(() => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
process.stdin.once('end', stop)
