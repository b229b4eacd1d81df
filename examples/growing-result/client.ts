/**
 * How a client reads the result of a tool that is still at work, and what is left of one that was cancelled. Ends well only if all of it
 * was really seen.
 *
 *     npm run build && node examples/growing-result/client.ts     (Node 22.18 or newer runs TypeScript itself)
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

// The call answers after 0.2 s with a handle; the crawl goes on.
const { ref_id } = await call('crawl', { pages: 60 })

// A page or a part of what is there comes at once; one that is not there yet is waited for.
const page = await call('get_cached_result', { ref_id, page: 2, page_size: 4, wait_seconds: 20 })
assert.equal(page.status, 'processing')
assert.equal(page.is_growing, true)
assert.ok((page.available as number) >= 5)
assert.deepEqual((page.preview as unknown[])[0], { url: 'https://example.org/5', title: 'Page 5' })
const part = await call('get_cached_result', { ref_id: `${ref_id}#/2/title` })
assert.equal(part.preview, 'Page 3')

// In the end it is a value like any other.
const whole = await call('get_cached_result', { ref_id, wait_seconds: 20 })
assert.equal(whole.status, 'complete')
assert.equal(whole.total_items, 60)

// What was found before a cancel stays.
const other = await call('crawl', { pages: 1_000 })
await call('get_cached_result', { ref_id: other.ref_id, page: 2, page_size: 4, wait_seconds: 20 })
const cancelled = await call('cancel_task', { ref_id: other.ref_id })
assert.equal(cancelled.status, 'cancelled')
const left = await call('get_cached_result', { ref_id: other.ref_id, page: 1, page_size: 4 })
assert.equal(left.partial, true)
assert.equal((left.preview as unknown[]).length, 4)

await client.close()
console.log('All was seen: pages of a value that grew, its end, and what a cancelled task had.')
