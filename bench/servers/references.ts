import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { RefCache } from '../../src/index.ts'
import { attachRefCache } from '../../src/mcp/index.ts'

const cache = new RefCache({ name: 'bench' })

/** A server with one tool that goes through the cache; polls of its reference are what is measured. */
export function referenceServer(): McpServer {
  const server = new McpServer({ name: 'references', version: '1.0.0' })
  const { registerTool } = attachRefCache(server, cache)
  const inputSchema = z.object({ text: z.string() })
  registerTool('remember', { inputSchema, memoize: true, envelope: 'always' }, ({ text }) => ({ text }))
  return server
}
