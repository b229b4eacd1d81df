/**
 * Work that computes runs in worker threads: it holds up nobody, and it can be killed. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/threads/client.ts     (Node 22.18 or newer runs TypeScript itself, in threads too)
 */
import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { RefCache } from 'mcp-refcache'
import { attachRefCache } from 'mcp-refcache/mcp'
import { threadExecutor } from 'mcp-refcache/threads'
import { countPrimes, searchForever } from './tools.ts'

const [extension] = /\.\w+$/.exec(import.meta.url) ?? []
const modules = new URL(`./tools${extension}`, import.meta.url)
const cache = new RefCache({
  name: 'primes',
  executors: { threads: threadExecutor({ modules, threads: 2, grace: '100ms' }) },
})
const server = new McpServer({ name: 'primes', version: '1.0.0' })
const { registerTool } = attachRefCache(server, cache, { asyncTimeout: '50ms' })
registerTool(
  'count_primes',
  {
    description: 'How many primes there are below a number.',
    inputSchema: countPrimes.input,
    executor: 'threads',
    run: { module: modules, export: 'countPrimes' },
  },
  countPrimes.handler,
)
registerTool(
  'search_forever',
  {
    description: 'Never ends.',
    executor: 'threads',
    run: { module: modules, export: 'searchForever' },
    hardTimeout: '1s',
  },
  searchForever,
)

const client = new Client({ name: 'agent', version: '1.0.0' })
const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
await Promise.all([server.connect(serverSide), client.connect(clientSide)])

type Body = Record<string, unknown>

async function call(name: string, args: Body = {}): Promise<Body> {
  const { structuredContent } = await client.callTool({ name, arguments: args })
  console.log(`${name}:`, JSON.stringify(structuredContent).slice(0, 240))
  return structuredContent as Body
}

// Two that compute, side by side. Both answer with a handle, and polls are answered while they compute.
const below = 5_000_000
const first = await call('count_primes', { below })
const second = await call('search_forever')
assert.equal(first.is_async, true)
assert.equal(second.is_async, true)
const looked = await call('get_cached_result', { ref_id: first.ref_id, wait_seconds: 0 })
assert.match(String(looked.status), /^(pending|processing)$/)

// What never ends is killed: at its hard timeout, or when somebody cancels it.
const killed = await call('get_cached_result', { ref_id: second.ref_id, wait_seconds: 30 })
assert.equal(killed.error_code, 'hard_timeout')
const third = await call('search_forever')
const cancelled = await call('cancel_task', { ref_id: third.ref_id })
assert.equal(cancelled.status, 'cancelled')

let counted: Body
do counted = await call('get_cached_result', { ref_id: first.ref_id, wait_seconds: 30 })
while (counted.is_async)
assert.deepEqual(counted.value ?? counted.preview, { below, count: 348_513 })

await client.close()
await cache.close()
console.log('All was seen that should be.')
