/** A server that computes, and has no data of its own: `analytics.ts STORE`. Its arguments are references of the other server. */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { sqliteStore } from 'mcp-refcache/stores/sqlite'
import { z } from 'zod'

const cache = new RefCache({ name: 'company', store: sqliteStore(process.argv[2]!) })
const rows = z.array(z.record(z.string(), z.union([z.string(), z.number()]))).min(5)

serveStdio(() => {
  const server = new McpServer({ name: 'analytics', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
  const { registerTool } = attachRefCache(server, cache, { envelope: 'always' })
  registerTool(
    'totals_by',
    {
      description: 'Sums of a column of a table, by another column.',
      inputSchema: z.object({ rows, by: z.string(), of: z.string() }),
    },
    ({ rows, by, of }) => {
      const totals: Record<string, number> = {}
      for (const row of rows) totals[String(row[by])] = (totals[String(row[by])] ?? 0) + Number(row[of])
      return totals
    },
  )
  registerTool(
    'mean',
    {
      description: 'The mean of a column of a table of at least five rows.',
      inputSchema: z.object({ rows, of: z.string() }),
      // One number of five rows or more tells nobody's value: whoever may only use the table may see it.
      declassifies: true,
    },
    ({ rows, of }) => rows.reduce((sum, row) => sum + Number(row[of]), 0) / rows.length,
  )
  return server
})
