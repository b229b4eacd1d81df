import { Client, type Transport, type VersionNegotiationOptions } from '@modelcontextprotocol/client'
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { onTestFinished } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { type AttachedRefCache, type AttachOptions, attachRefCache } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

export type Era = NonNullable<VersionNegotiationOptions['mode']>

interface SceneOptions {
  /** Before the cache is attached. */
  before?(server: McpServer): void
  tools?(attached: AttachedRefCache, cache: RefCache, server: McpServer): void
  attach?: AttachOptions
  cache?: RefCacheOptions
  /** Another scene's cache: a second server in front of it. */
  behind?: { cache: RefCache; clock: FakeClock }
  era?: Era
}

/** The protocol revisions, by the client mode that leads to them. */
export const REVISIONS = [
  ['2025-11-25', 'legacy'],
  ['2026-07-28', 'auto'],
] as const

/** A server with the cache attached, a real client of the SDK, and a clock that the test moves. */
export async function scene({ before, tools, attach, cache: options, behind, era = 'auto' }: SceneOptions) {
  const clock = behind?.clock ?? new FakeClock()
  const cache = behind?.cache ?? new RefCache({ name: 't', clock, ...options })
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  const serving = serveStdio(
    () => {
      const server = new McpServer({ name: 'scene', version: '1.0.0' })
      before?.(server)
      // What most tests look at is the envelope.
      tools?.(attachRefCache(server, cache, { envelope: 'always', ...attach }), cache, server)
      return server
    },
    { transport: serverSide },
  )
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: era } })
  await client.connect(clientSide as unknown as Transport)
  onTestFinished(async () => {
    await client.close()
    await serving.close()
    await cache.close()
  })
  return { clock, cache, client, call: caller(client) }
}

export interface Answer {
  body: JsonObject
  isError: boolean
  text: string
}

export type Call = (name: string, args?: Record<string, unknown>) => Promise<Answer>

/** Calls a tool; the answer must say the same twice. */
export function caller(client: Client): Call {
  return async (name, args = {}) => {
    const result = await client.callTool({ name, arguments: args })
    const [block] = result.content
    const text = block?.type === 'text' ? block.text : ''
    // An error of a tool with an output schema has its text alone.
    const body = (result.structuredContent ?? JSON.parse(text)) as JsonObject
    if (JSON.stringify(body) !== text) throw new Error(`Two different answers: ${text}`)
    return { body, isError: result.isError === true, text }
  }
}
