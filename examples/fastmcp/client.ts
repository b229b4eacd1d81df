/**
 * What an agent sees of `server.ts`. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/fastmcp/client.ts     (Node 22.18 or newer runs TypeScript itself)
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
  const onprogress = ({ message }: { message?: string | undefined }) => console.log('  progress:', message)
  const { structuredContent } = await client.callTool({ name, arguments: args }, undefined, { onprogress })
  const answer = structuredContent as Record<string, unknown>
  console.log(`${name}:`, JSON.stringify(answer).slice(0, 200))
  return answer
}

// After half a second the call answers with a handle; the work goes on.
const handle = await call('export_orders', { year: 2025 })
assert.equal(handle.status, 'processing')

// A poll waits for the result. It is long, so a preview comes back, under the same reference.
const preview = await call('get_cached_result', { ref_id: handle.ref_id, wait_seconds: 20 })
assert.equal(preview.status, 'complete')
assert.equal(preview.ref_id, handle.ref_id)
assert.equal(preview.is_complete, false)
assert.equal(preview.total_items, 1_200)

// Its pages, joined, are the whole. A list of records comes as a table: the names of its fields once, then a row for each.
const orders: unknown[] = []
for (let page = 1, pages = 1; page <= pages; page++) {
  const part = await call('get_cached_result', { ref_id: handle.ref_id, page, max_size: 8_000 })
  pages = part.total_pages as number
  orders.push(...(part.rows as unknown[]))
}
assert.equal(orders.length, 1_200)

// The same call again is answered at once, with its age: the tool's author has it memoized.
const again = await call('export_orders', { year: 2025 })
assert.equal(again.ref_id, handle.ref_id)
assert.equal(again.status, 'complete')
assert.ok(again.cached_at)

// Unless it asks for a new run.
const fresh = await call('export_orders', { year: 2025, _fresh: true })
assert.notEqual(fresh.ref_id, handle.ref_id)

await client.close()
console.log('All was seen: a handle with progress, a preview, its pages, and one run for two calls.')
