/** One of two replicas of a server: `server.ts REDIS NAME`. All that it keeps is in Redis. */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { redisStore } from 'mcp-refcache/stores/redis'
import { z } from 'zod'

const [url = '', replica = ''] = process.argv.slice(2)
const cache = new RefCache({
  name: 'reports',
  store: redisStore(url),
  // How soon another replica takes up what a dead one leaves behind.
  leaseDuration: '1s',
  sweepInterval: '500ms',
})

serveStdio(() => {
  const server = new McpServer({ name: 'reports', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache, { envelope: 'always', asyncTimeout: '300ms' })
  registerTool(
    'report',
    {
      description: 'The report of a year. It takes a while.',
      inputSchema: z.object({ year: z.int() }),
      // It may be begun again: so another replica takes it up when this one dies.
      annotations: { readOnlyHint: true, idempotentHint: true },
      memoize: true,
    },
    async ({ year }, task) => {
      for (let month = 1; month <= 12; month++) {
        await new Promise(resolve => setTimeout(resolve, 300))
        task.progress(month, 12, `${replica} does month ${month} of ${year}`)
      }
      return { year, madeBy: replica, total: year * 12 }
    },
  )
  return server
})
