/** A server that has data: `warehouse.ts STORE`. It hands out tables that other servers may work with. */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { AccessPolicy, RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { sqliteStore } from 'mcp-refcache/stores/sqlite'
import { z } from 'zod'

// The same name on the same store: a reference of one server means the same to the other.
const cache = new RefCache({ name: 'company', store: sqliteStore(process.argv[2]!) })

serveStdio(() => {
  const server = new McpServer({ name: 'warehouse', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache, { envelope: 'always' })
  registerTool(
    'orders',
    { description: 'All orders of a year.', inputSchema: z.object({ year: z.int() }) },
    ({ year }) =>
      Array.from({ length: 3_000 }, (_, n) => ({
        id: year * 10_000 + n,
        region: ['north', 'south', 'west'][n % 3],
        total: (n % 97) * 10,
      })),
  )
  registerTool(
    'salaries',
    {
      description: 'What people earn. Other tools may compute with it; nobody may read it.',
      policy: AccessPolicy.executeOnly,
    },
    () => [41_111, 47_222, 58_333, 66_444, 93_555].map((salary, n) => ({ name: `person ${n}`, salary })),
  )
  return server
})
