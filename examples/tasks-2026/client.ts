/**
 * What a client that knows the extension io.modelcontextprotocol/tasks sees of `server.ts`: the official task client drives
 * it, by polls and by push. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/tasks-2026/client.ts     (Node 22.18 or newer runs TypeScript itself)
 *
 * With WIRE=1 it shows every message.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import {
  createTaskSessionFromClient,
  type RawClientDispatch,
  resultFromTaskOutcome,
} from '@modelcontextprotocol/ext-tasks/client'

const [extension] = /\.\w+$/.exec(import.meta.url) ?? []
const script = fileURLToPath(new URL(`server${extension}`, import.meta.url))
const server = spawn(process.execPath, [...process.execArgv, script], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const [line] = (await once(server.stdout, 'data')) as [Buffer]
const url = new URL(line.toString().trim())

const wire = (direction: string, message: unknown) => {
  if (process.env.WIRE) console.log(direction, JSON.stringify(message))
}
const clientInfo = { name: 'example', version: '1.0.0' }
const capabilities = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }
const client = new Client(clientInfo, { capabilities, versionNegotiation: { mode: 'auto' } })
await client.connect(new StreamableHTTPClientTransport(url))

// The SDK's client knows no tasks yet: their requests go past it.
let ids = 0
const rawDispatch: RawClientDispatch = async request => {
  const { method, params } = request as { method: string; params: { name?: string; taskId?: string } }
  const message = { jsonrpc: '2.0', id: ++ids, method, params }
  wire('→', message)
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': params.taskId ?? params.name ?? '',
    },
    body: JSON.stringify(message),
  })
  const text = await response.text()
  const answer = JSON.parse(text.startsWith('{') ? text : (text.split('data: ').at(-1) ?? ''))
  wire('←', answer)
  return answer.error ? { kind: 'error', error: answer.error } : { kind: 'result', result: answer.result }
}
const session = createTaskSessionFromClient(client, {
  endpointId: url.host,
  rawDispatch,
  v2RequestFraming: { protocolVersion: '2026-07-28', clientInfo, clientCapabilities: capabilities },
  onInputRequest: async ({ params }) => {
    console.log('asked:', params?.message)
    return { action: 'accept' } as never
  },
})

const notifications: Array<Record<string, unknown>> = []
client.fallbackNotificationHandler = async notification => {
  wire('←', notification)
  notifications.push(notification.params as Record<string, unknown>)
}

// Slow work: the server answers with a task, whose id is the reference of its result.
const execution = await session.callTool('export_orders', { year: 2025 })
assert.equal(execution.kind, 'task')
const { taskId } = execution.kind === 'task' ? execution.handle : assert.fail()

// The server tells of it, so that nobody has to poll; the task client polls all the same.
await client.listen({ taskIds: [taskId] } as Parameters<typeof client.listen>[0])
const { outcome } = await execution.settle({
  onEvent: event => {
    if (event.type === 'task') console.log('task:', event.task.status, event.task.statusMessage ?? '')
  },
})
const result = resultFromTaskOutcome(outcome)
console.log('result:', JSON.stringify(result))
assert.deepEqual(result.content, [{ type: 'text', text: '{"year":2025,"orders":1200}' }])
assert.equal(result._meta?.['mcp-refcache/ref_id'], taskId)
assert.ok(
  notifications.some(
    ({ status, statusMessage }) => status === 'working' && `${statusMessage}`.includes('month'),
  ),
)
assert.ok(notifications.some(({ status, result }) => status === 'completed' && result !== undefined))

// A task that asks in the middle of its work.
const asking = await session.callTool('delete_orders', { year: 2024 })
const answered = resultFromTaskOutcome((await asking.settle()).outcome)
assert.deepEqual(answered.content, [{ type: 'text', text: '{"deleted":1200}' }])

// A task that is not wanted any more.
const unwanted = await session.callTool('export_orders', { year: 2023 })
await unwanted.cancel()
assert.equal((await unwanted.settle()).outcome.status, 'cancelled')

await session.close()
await client.close()
server.kill()
console.log(
  'All was seen: a task with progress, told and polled, its result, a question, and a cancelled one.',
)
