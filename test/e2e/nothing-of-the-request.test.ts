import { randomUUID } from 'node:crypto'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { FastMCP } from 'fastmcp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { refcacheTool } from '../../src/fastmcp/index.ts'
import { attachRefCache } from '../../src/mcp/index.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { deferred } from '../unit/flow/scene.ts'
import { MEDIA, type Medium } from './media.ts'

const SITE = `site-${randomUUID()}`
/** What must be found nowhere. */
const SECRETS = {
  token: `token-${randomUUID()}`,
  claim: `claim-${randomUUID()}`,
  local: `local-${randomUUID()}`,
}

describe.each(MEDIA)('%s', (_, openMedium) => {
  let medium: Medium
  beforeEach(async () => {
    medium = await openMedium()
  })
  afterEach(() => medium.remove())

  it.each([
    ['registerTool', callRegisteredTool],
    ['refcacheTool', callFastMcpTool],
  ])('has the input of a task of %s, and nothing of its request', async (_name, callTool) => {
    const cache = new RefCache({ name: 'files', store: medium.open() })
    const finish = deferred()
    const used: string[] = []
    const work = async (...secrets: Array<string | undefined>) => {
      used.push(...secrets.flatMap(secret => secret ?? []))
      await finish.promise
      return 'done'
    }
    await callTool(cache, work)
    await expect.poll(() => used.length).toBeGreaterThan(0)
    const bytes = await medium.bytes()
    finish.resolve(undefined)
    await expect.poll(async () => (await cache.list({ statuses: ['complete'] })).entries.length).toBe(1)
    bytes.push(...(await medium.bytes()))
    await cache.close()
    bytes.push(...(await medium.bytes()))
    const found = (mark: string) => bytes.some(some => some.includes(mark))
    expect(found(SITE)).toBe(true)
    expect(Object.entries(SECRETS).filter(([, secret]) => found(secret))).toEqual([])
    expect(used).toContain(SECRETS.token)
  })
})

type Work = (...secrets: Array<string | undefined>) => Promise<string>

async function callRegisteredTool(cache: RefCache, work: Work): Promise<void> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'test', version: '1.0.0' })
    const { registerTool } = attachRefCache(server, cache, { asyncTimeout: 0 })
    registerTool(
      'crawl',
      { inputSchema: { site: z.string() }, prepare: args => [args, { secret: SECRETS.local }] },
      (_args, _task, context, local) => work(context?.http?.authInfo?.token, local?.secret),
    )
    return server
  })
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'crawl',
      arguments: { site: SITE },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }
  const request = new Request('http://localhost/mcp', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${SECRETS.token}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'crawl',
    },
    body: JSON.stringify(body),
  })
  const extra = { sub: 'ada', secret: SECRETS.claim }
  const authInfo = { token: SECRETS.token, clientId: 'c', scopes: [], extra }
  const answer = await handler.fetch(request, { authInfo })
  expect(await answer.text()).toContain('ref_id')
  await handler.close()
}

async function callFastMcpTool(cache: RefCache, work: Work): Promise<void> {
  const logger = { debug() {}, error() {}, info() {}, log() {}, warn() {} }
  const server = new FastMCP<{ sub: string; token: string; secret: string }>({
    name: 't',
    version: '1.0.0',
    logger,
  })
  server.addTool(
    refcacheTool(cache, {
      name: 'crawl',
      asyncTimeout: 0,
      parameters: z.object({ site: z.string() }),
      execute: (_args, _task, context) => work(context?.session?.token),
    }),
  )
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  const client = new Client({ name: 'test', version: '1.0.0' })
  const session = { sub: 'ada', token: SECRETS.token, secret: SECRETS.claim }
  // Its types say `undefined` where the transport's leave out.
  await Promise.all([server.connect(serverSide, session), client.connect(clientSide as Transport)])
  const { content } = await client.callTool({ name: 'crawl', arguments: { site: SITE } })
  expect(JSON.stringify(content)).toContain('ref_id')
  await client.close()
}
