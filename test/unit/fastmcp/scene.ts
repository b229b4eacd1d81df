import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { FastMCP } from 'fastmcp'
import { onTestFinished } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { addPollingTools, type FastMcpPollingOptions } from '../../../src/fastmcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

export type Session = Record<string, unknown> | undefined

/** A fastmcp server in front of a cache whose clock the test moves; `connect` gives a client, with what `authenticate` would. */
export function scene(
  addTools: (server: FastMCP<Session>, cache: RefCache) => void,
  options: RefCacheOptions = {},
  polling: FastMcpPollingOptions<Session> = {},
) {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock, ...options })
  const logger = { debug() {}, error() {}, info() {}, log() {}, warn() {} }
  const server = new FastMCP<Session>({ name: 'scene', version: '1.0.0', logger })
  addTools(server, cache)
  addPollingTools(server, cache, polling)
  onTestFinished(() => cache.close())

  async function connect(session?: Session) {
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
    const client = new Client({ name: 'test', version: '1.0.0' })
    await Promise.all([
      server.connect(serverSide, session),
      // Its types say `undefined` where the transport's leave out.
      client.connect(clientSide as Transport),
    ])
    onTestFinished(() => client.close())
    const call = async (name: string, args: Record<string, unknown> = {}): Promise<Answer> => {
      const { structuredContent, content, isError } = await client.callTool({ name, arguments: args })
      // An error of a tool with an output schema has its text alone.
      const [block] = content as { text: string }[]
      const body = (structuredContent ?? JSON.parse(block?.text ?? '')) as JsonObject
      return { body, isError: isError === true }
    }
    return { client, call }
  }
  return { clock, cache, server, connect }
}

export interface Answer {
  body: JsonObject
  isError: boolean
}
