import { InMemoryTransport, type JSONRPCMessage, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JsonObject } from '../../../../src/core/json.ts'
import { attachRefCache } from '../../../../src/mcp/index.ts'
import { RefCache } from '../../../../src/ref-cache.ts'
import { serverOf, Wired } from '../../wrap/wired.ts'

type Send = (method: string, params: JsonObject) => Promise<JsonObject>

const ROWS = [
  { id: 1, name: 'Ada' },
  { id: 2, name: 'Bob' },
]
const CLIENT = { name: 'test', version: '1.0.0' }
const TASKS = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': CLIENT,
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}
const TABLE = { columns: ['name'], rows: [['Bob']] }

/** A server of the SDK, and what it answers to plain JSON-RPC. */
async function attached() {
  const cache = new RefCache({ name: 't' })
  const [client, serverSide] = InMemoryTransport.createLinkedPair()
  const serving = serveStdio(
    () => {
      const server = new McpServer(CLIENT)
      attachRefCache(server, cache, { taskGrace: 0 })
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
  const send: Send = async (method, params) => {
    const id = ++last
    const answered = new Promise<JsonObject>(resolve => waiting.set(id, resolve))
    await client.send({ jsonrpc: '2.0', id, method, params } as JSONRPCMessage)
    return answered
  }
  return { cache, send }
}

/** The same of a wrapper. */
async function wrapped() {
  const serve = serverOf(() => '{"content":[]}')
  const wired = await Wired.open((line, say) =>
    serve(line, said => say(said.replace('2025-06-18', '2025-11-25'))),
  )
  onTestFinished(() => wired.close())
  let last = 0
  const send: Send = async (method, params) =>
    JSON.parse(await wired.ask(`r${++last}`, method, JSON.stringify(params)))
  return { cache: wired.cache, send }
}

interface Revision {
  begin(send: Send): Promise<unknown>
  call(send: Send, args: JsonObject): Promise<JsonObject>
  /** What the task ended with. */
  result(send: Send, taskId: string): Promise<JsonObject>
}

const REVISIONS: Record<string, Revision> = {
  '2025-11-25': {
    begin: send =>
      send('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: CLIENT }),
    call: (send, args) => send('tools/call', { name: 'query_cached_result', arguments: args, task: {} }),
    result: async (send, taskId) => (await send('tasks/result', { taskId })).result as JsonObject,
  },
  '2026-07-28': {
    begin: send => send('server/discover', { _meta: TASKS }),
    call: (send, args) => send('tools/call', { name: 'query_cached_result', arguments: args, _meta: TASKS }),
    async result(send, taskId) {
      const task = async () => (await send('tasks/get', { taskId, _meta: TASKS })).result as JsonObject
      await expect.poll(async () => (await task()).status, { timeout: 30_000 }).toBe('completed')
      return (await task()).result as JsonObject
    },
  },
}

describe.each(Object.entries(REVISIONS))('questions as tasks of %s', (name, revision) => {
  /** What a question ends with, and the task that it became; at the later revision what is there at once becomes none. */
  const asked = async (send: Send, args: JsonObject) => {
    const { result } = await revision.call(send, args)
    const {
      task,
      taskId = task?.taskId,
      structuredContent,
    } = result as {
      task?: { taskId: string }
      taskId?: string
      structuredContent?: JsonObject
    }
    if (taskId === undefined)
      return { taskId: structuredContent?.ref_id, answer: structuredContent, isTask: false }
    const { structuredContent: answer } = await revision.result(send, taskId)
    return { taskId, answer, isTask: true }
  }

  it.each([
    ['the SDK', attached],
    ['wrap', wrapped],
  ])('end with what a plain question is answered: %s', async (door, open) => {
    const { cache, send } = await open()
    await revision.begin(send)
    const { refId } = await cache.set('people', ROWS)
    const question = { ref_id: refId, sql: 'select name from items where id > 1' }
    const first = await asked(send, question)
    if (door === 'the SDK' || name === '2025-11-25') expect(first.isTask).toBe(true)
    expect(first.answer).toEqual({ ref_id: first.taskId, ...TABLE })
    const again = await asked(send, question)
    expect(again.isTask).toBe(name === '2025-11-25')
    expect(again.answer).toEqual({ ref_id: again.taskId, ...TABLE })
    const search = await asked(send, { ref_id: refId, search: 'Ada' })
    expect(search.answer).toMatchObject({ ref_id: search.taskId, matched: 1 })
    const empty = await asked(send, { ref_id: refId, sql: 'select * from items where id > 7' })
    expect(empty.answer).toMatchObject({ rows: [], message: expect.stringContaining('2') })
  })

  it('are refused as they would be without', async () => {
    const { cache, send } = await attached()
    await revision.begin(send)
    const { refId } = await cache.set('hidden', ROWS, { policy: { agent: 16 } })
    const said = JSON.stringify([
      await revision.call(send, { ref_id: refId, sql: 'select 1' }),
      await revision.call(send, { ref_id: `t:${'0'.repeat(32)}`, sql: 'select 1' }),
      await revision.call(send, { ref_id: refId }),
    ])
    expect(said).not.toContain('"taskId"')
    expect(said).not.toContain('Ada')
  })
})

describe('a client that knows no tasks', () => {
  it('is given the handle of a slow question', async () => {
    const { cache, send } = await attached()
    await REVISIONS['2025-11-25']?.begin(send)
    const { refId } = await cache.set('people', ROWS)
    const args = { ref_id: refId, sql: 'select name from items where id > 1', wait_seconds: 0 }
    const handle = (await send('tools/call', { name: 'query_cached_result', arguments: args })).result as {
      structuredContent: { ref_id: string }
    }
    expect(handle.structuredContent).toMatchObject({ is_async: true, tool: 'query_cached_result' })
    const poll = { name: 'get_cached_result', arguments: { ref_id: handle.structuredContent.ref_id } }
    const { result } = (await send('tools/call', poll)) as { result: { structuredContent: JsonObject } }
    expect(result.structuredContent).toMatchObject({ status: 'complete' })
  })
})
