import { randomBytes } from 'node:crypto'
import type { RpcRequest } from '../rpc.ts'

/** Asks a server, by a request of our own, whether it speaks 2026-07-28. */
export function discoverRequest(): RpcRequest {
  return {
    jsonrpc: '2.0',
    id: `refcache:${randomBytes(4).toString('hex')}:discover`,
    method: 'server/discover',
    params: {
      // What a client of that revision says of itself with each request.
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'mcp-refcache', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }
}
