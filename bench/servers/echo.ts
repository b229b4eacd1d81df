import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** The least that a tool can do on the SDK: what a poll is held against. */
export function echoServer(): McpServer {
  const server = new McpServer({ name: 'echo', version: '1.0.0' })
  const inputSchema = z.object({ text: z.string() })
  server.registerTool('echo', { inputSchema }, async ({ text }) => ({
    content: [{ type: 'text', text }],
    structuredContent: { text },
  }))
  return server
}
