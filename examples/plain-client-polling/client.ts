/**
 * How any client that can call tools follows slow work, here one of the SDK v1, without a word about tasks. Ends well only if
 * all of it was really seen.
 *
 *     npm run build && node examples/plain-client-polling/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const [extension] = /\.\w+$/.exec(import.meta.url) ?? []
const server = fileURLToPath(new URL(`server${extension}`, import.meta.url))
const client = new Client({ name: 'example', version: '1.0.0' })
await client.connect(
  new StdioClientTransport({ command: process.execPath, args: [...process.execArgv, server] }),
)

async function call(name: string, args: Record<string, unknown>) {
  const { structuredContent } = await client.callTool({ name, arguments: args })
  console.log(`${name}:`, JSON.stringify(structuredContent).slice(0, 160))
  return structuredContent as Record<string, unknown> & { ref_id: string }
}

// The call answers after 0.3 s with a handle; the work goes on.
const handle = await call('export_orders', { year: 2025 })
assert.equal(handle.status, 'processing')
assert.equal(handle.is_async, true)

// A poll says how far it is…
const running = await call('get_cached_result', { ref_id: handle.ref_id, wait_seconds: 0 })
assert.equal(running.status, 'processing')
assert.ok((running.progress as { total: number }).total === 12)
assert.ok(typeof running.eta_seconds === 'number')

// …and one that waits has the result, under the same reference.
const result = await call('get_cached_result', { ref_id: handle.ref_id, wait_seconds: 20 })
assert.equal(result.status, 'complete')
assert.equal(result.ref_id, handle.ref_id)

// The reference stands for the value in another tool's arguments: what is long never goes through the client.
// What is small passes as the tool gave it.
const count = await client.callTool({ name: 'count_orders', arguments: { export: handle.ref_id } })
assert.deepEqual(count.content, [{ type: 'text', text: '1200' }])

// Who has the result and makes the same call again gets a new run: orders may have come in.
const other = await call('export_orders', { year: 2025 })
assert.notEqual(other.ref_id, handle.ref_id)

// Who makes it again instead of polling does not.
assert.equal((await call('export_orders', { year: 2025 })).ref_id, other.ref_id)

// What is not wanted any more is cancelled, and begun again under the same reference if it is.
assert.equal((await call('cancel_task', { ref_id: other.ref_id })).status, 'cancelled')
assert.equal((await call('retry_task', { ref_id: other.ref_id })).ref_id, other.ref_id)
const again = await call('get_cached_result', { ref_id: other.ref_id, wait_seconds: 20 })
assert.equal(again.status, 'complete')

await client.close()
console.log(
  'All was seen: a handle, progress, a result under the same reference, its use, a cancel and a retry.',
)
