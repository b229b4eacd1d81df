import { InMemoryTransport, type JSONRPCMessage, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../../../src/core/json.ts'
import { type AttachedRefCache, type AttachOptions, attachRefCache } from '../../../../src/mcp/index.ts'
import { RefCache } from '../../../../src/ref-cache.ts'

const IMAGE = { type: 'image', data: 'aGVsbG8=', mimeType: 'image/png' } as const
const CONTENT = { content: [IMAGE], structuredContent: { things: 1 }, _meta: { 'example.org/trace': 'x' } }
const FAILED = { content: [{ type: 'text', text: 'no such thing' }], isError: true } as const
const LARGE = [...Array(5_000).keys()]

const TOOLS: Readonly<Record<string, (attached: AttachedRefCache, begun: Promise<void>) => void>> = {
  text: ({ registerTool }, begun) => registerTool('text', {}, () => begun.then(() => 'a\n"b"')),
  object: ({ registerTool }, begun) => registerTool('object', {}, () => begun.then(() => ({ n: 1 }))),
  content: ({ registerTool }, begun) => registerTool('content', {}, () => begun.then(() => CONTENT)),
  large: ({ registerTool }, begun) => registerTool('large', {}, () => begun.then(() => LARGE)),
  failed: ({ registerTool }, begun) => registerTool('failed', {}, () => begun.then(() => FAILED)),
  always: ({ registerTool }, begun) =>
    registerTool('always', { envelope: 'always' }, () => begun.then(() => CONTENT)),
  shaped: ({ registerTool }, begun) =>
    registerTool('shaped', { outputSchema: z.object({ n: z.number() }) }, () => begun.then(() => ({ n: 1 }))),
}

const TASKS = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}

/** A server with all tools, whose work goes on when `begin` is called, and a client that speaks plain JSON-RPC. */
async function connect(attach: AttachOptions = {}) {
  const cache = new RefCache({ name: 't' })
  let begin = () => {}
  const begun = new Promise<void>(resolve => {
    begin = resolve
  })
  const [client, serverSide] = InMemoryTransport.createLinkedPair()
  const serving = serveStdio(
    () => {
      const server = new McpServer({ name: 'test', version: '1.0.0' })
      const attached = attachRefCache(server, cache, { taskGrace: 0, ...attach })
      for (const register of Object.values(TOOLS)) register(attached, begun)
      return server
    },
    { transport: serverSide },
  )
  onTestFinished(async () => {
    await serving.close()
    await cache.close()
  })
  const waiting = new Map<number, (answer: JsonObject) => void>()
  client.onmessage = message => {
    if ('id' in message) waiting.get(message.id as number)?.(message as unknown as JsonObject)
  }
  await client.start()
  let last = 0
  const ask = async (method: string, params: JsonObject): Promise<JsonObject> => {
    const id = ++last
    const answered = new Promise<JsonObject>(resolve => waiting.set(id, resolve))
    await client.send({ jsonrpc: '2.0', id, method, params } as JSONRPCMessage)
    const { result, error } = await answered
    if (error) throw new Error(JSON.stringify(error))
    return result as JsonObject
  }
  const tell = (method: string) => client.send({ jsonrpc: '2.0', method } as JSONRPCMessage)
  return { ask, tell, begin }
}

/** What the task of a call ended with, and what the same call is answered with when it waits. */
const REVISIONS = {
  async '2025-11-25'(tool: string, attach?: AttachOptions) {
    const { ask, tell, begin } = await connect(attach)
    const clientInfo = { name: 'test', version: '1.0.0' }
    await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
    await tell('notifications/initialized')
    const { task } = await ask('tools/call', { name: tool, arguments: {}, task: {} })
    begin()
    const { taskId } = task as { taskId: string }
    const result = await ask('tasks/result', { taskId })
    return { taskId, result, plain: await ask('tools/call', { name: tool, arguments: {} }) }
  },
  async '2026-07-28'(tool: string, attach?: AttachOptions) {
    const { ask, begin } = await connect(attach)
    const { taskId } = await ask('tools/call', { name: tool, arguments: {}, _meta: TASKS })
    begin()
    const task = async () => ask('tasks/get', { taskId: taskId as string, _meta: TASKS })
    await expect.poll(async () => (await task()).status).toBe('completed')
    const { 'io.modelcontextprotocol/clientCapabilities': _, ...rest } = TASKS
    const withoutTasks = { ...rest, 'io.modelcontextprotocol/clientCapabilities': {} }
    const plain = await ask('tools/call', { name: tool, arguments: {}, _meta: withoutTasks })
    return { taskId: taskId as string, result: (await task()).result as JsonObject, plain }
  },
}

/** Without what differs from call to call: references, and what the protocol adds. */
function own({ _meta, resultType, ...result }: JsonObject): JsonObject {
  const meta = Object.entries(_meta ?? {}).filter(([name]) => name.startsWith('example.org/'))
  return meta.length === 0 ? result : { ...result, _meta: Object.fromEntries(meta) }
}

describe.each(Object.entries(REVISIONS))('the result of a task of %s', (_, finished) => {
  it.each<[string, JsonObject]>([
    ['text', { content: [{ type: 'text', text: 'a\n"b"' }] }],
    ['object', { content: [{ type: 'text', text: '{"n":1}' }] }],
    ['shaped', { content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } }],
    ['content', CONTENT as unknown as JsonObject],
    ['failed', FAILED as unknown as JsonObject],
  ])('is what the plain call answers: %s', async (tool, expected) => {
    const { taskId, result, plain } = await finished(tool)
    expect(own(result)).toEqual(expected)
    expect(own(plain)).toEqual(expected)
    expect(result._meta).toMatchObject({ 'mcp-refcache/ref_id': taskId })
  })

  it('is a preview where it is too large', async () => {
    const { taskId, result } = await finished('large')
    expect(result.structuredContent).toMatchObject({ ref_id: taskId, is_complete: false })
  })

  it('has our shape for a tool that always wants it', async () => {
    const { taskId, result } = await finished('always')
    expect(result.structuredContent).toMatchObject({ ref_id: taskId, is_complete: true, value: CONTENT })
  })

  it('has our shape on a server that always wants it', async () => {
    const { taskId, result } = await finished('text', { envelope: 'always' })
    expect(result.structuredContent).toMatchObject({ ref_id: taskId, is_complete: true, value: 'a\n"b"' })
  })
})
