/**
 * A server on stdio with a tool that finds its result piece by piece, and hands out what it has. Run it with `client.ts` beside it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { z } from 'zod'

const cache = new RefCache({ name: 'crawler' })

serveStdio(() => {
  const server = new McpServer({ name: 'crawler', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache, { asyncTimeout: '200ms' })

  registerTool(
    'crawl',
    { description: 'The pages of a site.', inputSchema: z.object({ pages: z.int() }) },
    async ({ pages }, task) => {
      for (let page = 1; page <= pages; page++) {
        await sleep(50, undefined, { signal: task.signal })
        // Whoever asks can read it from now on, and it stays if the crawl fails or is cancelled.
        await task.append([{ url: `https://example.org/${page}`, title: `Page ${page}` }])
        task.progress(page, pages)
      }
      // Nothing is returned: the value is what was appended.
    },
  )
  return server
})

const stop = () => cache.close({ drain: '3s' }).finally(() => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
process.stdin.once('end', stop)
