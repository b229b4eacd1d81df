import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Client, type Transport } from '@modelcontextprotocol/client'
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { build } from 'esbuild'
import { type AttachedRefCache, attachRefCache } from '../../../src/mcp/index.ts'
import type { RefCache } from '../../../src/ref-cache.ts'

const CAPABILITIES = {
  extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } },
}

const PAGE = `<!doctype html><html lang="en"><title>A chat</title>
<style>body { margin: 24px; font-family: sans-serif } iframe { width: 100%; height: 60px; border: 0 }</style>
<iframe title="Progress" sandbox="allow-scripts"></iframe><script type="module" src="/host.js"></script></html>`

/** What SEP-1865 has hosts make of a card that names no domains. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'none'",
  "img-src 'self' data:",
  "frame-src 'none'",
  "object-src 'none'",
  "base-uri 'self'",
].join('; ')

/** A client that shows apps: it fetches the card of a tool as a host does, and serves a page that shows it. */
export async function startHost(
  cache: RefCache,
  tools: (attached: AttachedRefCache) => void,
  /** What the tools' calls are answered with, where the host itself fails. */
  { failing = () => false }: { failing?: (tool: string) => boolean } = {},
) {
  const server = new McpServer({ name: 'tools', version: '1.0.0' })
  tools(attachRefCache(server, cache, { card: true, asyncTimeout: '100ms' }))
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  await server.connect(serverSide)
  const client = new Client({ name: 'host', version: '1.0.0' }, { capabilities: CAPABILITIES })
  await client.connect(clientSide as unknown as Transport)
  const listed = await client.listTools()
  const meta = listed.tools.find(({ name }) => name === 'crawl')?._meta as { ui: { resourceUri: string } }
  const read = await client.readResource({ uri: meta.ui.resourceUri })
  const [card] = read.contents as Array<{ text: string }>
  const script = await bundledHost()
  const calls: string[] = []
  const call = async (request: IncomingMessage) => {
    const called = JSON.parse(await text(request)) as { name: string }
    calls.push(called.name)
    if (failing(called.name)) throw new Error('the host is away')
    return JSON.stringify(await client.callTool(called))
  }
  const http = createServer(async (request, response) => {
    const answer = (type: string, body: string, policy = {}) =>
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, ...policy }).end(body)
    try {
      if (request.url === '/') answer('text/html', PAGE)
      else if (request.url === '/host.js') answer('text/javascript', script)
      else if (request.url === '/card') answer('text/html', card!.text, { 'content-security-policy': POLICY })
      else if (request.url === '/call') answer('application/json', await call(request))
      else response.writeHead(204).end()
    } catch (error) {
      response.writeHead(500).end((error as Error).message)
    }
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    /** The tools that were called, in order. */
    calls,
    async stop() {
      http.closeAllConnections()
      http.close()
      await client.close()
    },
  }
}

async function bundledHost(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('host-page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
