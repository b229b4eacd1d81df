import { InMemoryTransport, type JSONRPCMessage, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { expect, it, onTestFinished } from 'vitest'
import { type AttachedRefCache, type AttachOptions, attachRefCache } from '../../../../src/mcp/index.ts'
import { RefCache } from '../../../../src/ref-cache.ts'

/** Calls `tool` as a task of 2025-11-25, and gives what came over the wire. */
async function callAsTask(
  tools: (attached: AttachedRefCache) => void,
  options: AttachOptions = {},
): Promise<object | undefined> {
  const cache = new RefCache({ name: 't' })
  const [client, serverSide] = InMemoryTransport.createLinkedPair()
  const serving = serveStdio(
    () => {
      const server = new McpServer({ name: 'test', version: '1.0.0' })
      tools(attachRefCache(server, cache, { envelope: 'always', ...options }))
      return server
    },
    { transport: serverSide },
  )
  onTestFinished(async () => {
    await serving.close()
    await cache.close()
  })
  const got: JSONRPCMessage[] = []
  client.onmessage = message => void got.push(message)
  await client.start()
  const send = (message: object) => client.send({ jsonrpc: '2.0', ...message } as JSONRPCMessage)
  const answer = (id: number) => got.find(message => 'id' in message && message.id === id)
  const clientInfo = { name: 'test', version: '1.0.0' }
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  await send({ id: 1, method: 'initialize', params: hello })
  await expect.poll(() => answer(1)).toBeDefined()
  await send({ method: 'notifications/initialized' })
  await send({ id: 2, method: 'tools/call', params: { name: 'tool', arguments: {}, task: {} } })
  await expect.poll(() => answer(2)).toBeDefined()
  return answer(2)
}

it('is given a task where all is well', async () => {
  const answer = await callAsTask(({ registerTool }) => registerTool('tool', {}, () => 1))
  expect(answer).toMatchObject({ result: { task: { status: 'working' } } })
})

it.each<[string, (attached: AttachedRefCache) => void, AttachOptions, number]>([
  [
    'of whom too little is known',
    ({ registerTool }) => registerTool('tool', { ownerTemplate: 'agent:{user_id}' }, () => 1),
    {},
    -32602,
  ],
  [
    'whose arguments cannot be completed',
    ({ registerTool }) => {
      const prepare = () => {
        throw new Error('no')
      }
      registerTool('tool', { prepare }, () => 1)
    },
    {},
    -32603,
  ],
  [
    'whom the server cannot name',
    ({ registerTool }) => registerTool('tool', {}, () => 1),
    {
      actorOf: () => {
        throw new Error('no')
      },
    },
    -32603,
  ],
])('a caller %s is told so by an error of JSON-RPC: it asked for a task', async (_, tools, options, code) => {
  expect(await callAsTask(tools, options)).toMatchObject({ error: { code } })
})
