/**
 * What a client of protocol revision 2025-11-25 sees of `server.ts` when it calls a tool as a task: here that of the SDK v1,
 * with its experimental tasks. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/tasks-2025/client.ts     (Node 22.18 or newer runs TypeScript itself)
 *
 * With WIRE=1 it shows every message.
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CallToolResultSchema,
  ElicitRequestSchema,
  TaskStatusNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'

const [extension] = /\.\w+$/.exec(import.meta.url) ?? []
const server = fileURLToPath(new URL(`server${extension}`, import.meta.url))
const client = new Client({ name: 'example', version: '1.0.0' }, { capabilities: { elicitation: {} } })
const transport = new StdioClientTransport({ command: process.execPath, args: [...process.execArgv, server] })
await client.connect(transport)
if (process.env.WIRE) showTraffic()

// The question comes as a request that names the task it belongs to.
const asked: unknown[] = []
client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
  console.log('asked:', params.message)
  asked.push(params._meta?.['io.modelcontextprotocol/related-task']?.taskId)
  return { action: 'accept', content: {} }
})
const told: string[] = []
client.setNotificationHandler(TaskStatusNotificationSchema, ({ params }) => {
  console.log('told:', params.status, params.statusMessage ?? '')
  told.push(params.status)
})

let taskId: string | undefined
let result: Record<string, unknown> | undefined
const call = { name: 'delete_orders', arguments: { year: 2024 } }
for await (const message of client.experimental.tasks.callToolStream(call, CallToolResultSchema, {
  task: {},
})) {
  if (message.type === 'taskCreated') taskId = message.task.taskId
  if (message.type === 'taskStatus')
    console.log('task:', message.task.status, message.task.statusMessage ?? '')
  if (message.type === 'result') result = message.result
  if (message.type === 'error') throw message.error
}
console.log('result:', JSON.stringify(result))
assert.ok(taskId)
assert.deepEqual(asked, [taskId])
assert.deepEqual(result?.content, [{ type: 'text', text: '{"deleted":1200}' }])
const { 'mcp-refcache/ref_id': ref_id } = (result?._meta ?? {}) as Record<string, unknown>
assert.equal(ref_id, taskId)
assert.equal(told.at(-1), 'completed')

// The client's own tasks, and nobody else's.
const { tasks } = await client.experimental.tasks.listTasks()
assert.deepEqual(
  tasks.map(task => task.taskId),
  [taskId],
)

await client.close()
console.log(
  'All was seen: a task, its question, its status as it changed, its result, and the list it stands in.',
)

function showTraffic(): void {
  const { send, onmessage } = transport
  transport.send = message => {
    console.log('→', JSON.stringify(message))
    return send.call(transport, message)
  }
  transport.onmessage = message => {
    console.log('←', JSON.stringify(message))
    onmessage?.(message)
  }
}
