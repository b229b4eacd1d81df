/**
 * The server that the official conformance suite of MCP is run against (`test/e2e/conformance.test.ts`). The names and
 * answers of its tools are what the suite's scenarios prescribe. Says its address on stdout.
 *
 *     npm run build && node examples/conformance/server.ts     (Node 22.18 or newer runs TypeScript itself)
 *     npx @modelcontextprotocol/conformance server --url <address> --scenario tasks-lifecycle
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
} from '@modelcontextprotocol/server'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS, withTaskNotifications } from 'mcp-refcache/mcp'
import { registerContentTools } from './content-tools.ts'
import { registerInputTools } from './input-tools.ts'
import { registerTaskTools } from './task-tools.ts'

const cache = new RefCache({ name: 'conformance' })
const states = createRequestStateCodec<unknown>({ key: randomBytes(32) })

const handler = withTaskNotifications(
  createMcpHandler(() => {
    const server = new McpServer(
      { name: 'mcp-refcache-conformance', version: '1.0.0' },
      { instructions: SERVER_INSTRUCTIONS, requestState: { verify: states.verify } },
    )
    const { registerTool } = attachRefCache(server, cache)
    registerTaskTools(server, registerTool)
    registerInputTools(server, registerTool, states)
    registerContentTools(server, registerTool, handler.notify)
    return server
  }),
)

/** A server on localhost is for localhost: pages of other sites must not reach it through a browser. */
async function fetch(request: Request): Promise<Response> {
  const refused =
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins())
  return refused ?? handler.fetch(request)
}

const serve = toNodeHandler({ fetch })
const http = createServer((request, response) => void serve(request as never, response))
http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
})

process.once('SIGTERM', () => {
  http.close()
  // Running tasks may finish.
  cache.close({ drain: '10s' }).finally(() => process.exit())
})
