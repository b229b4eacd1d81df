/**
 * Two servers on one store: a table of the one goes into a tool of the other by its reference, and keeps its access rules there. Ends well
 * only if all of it was really seen.
 *
 *     npm run build && node examples/cross-server/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const folder = mkdtempSync(join(tmpdir(), 'refcache-cross-server-'))
const store = join(folder, 'cache.db')
const [extension] = /\.\w+$/.exec(import.meta.url) ?? []
const said: string[] = []

interface Answer {
  readonly ref_id: string
  readonly status?: string
  readonly is_complete?: boolean
  readonly value?: unknown
  readonly total_items?: number
  readonly error?: { code: string }
}

async function connect(name: string) {
  const client = new Client({ name: 'example', version: '1.0.0' })
  const server = fileURLToPath(new URL(`${name}${extension}`, import.meta.url))
  const args = [...process.execArgv, server, store]
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }))
  const call = async (tool: string, args: Record<string, unknown>) => {
    const { structuredContent } = await client.callTool({ name: tool, arguments: args })
    said.push(JSON.stringify(structuredContent))
    console.log(`${name}, ${tool}:`, said.at(-1)!.slice(0, 140))
    return structuredContent as unknown as Answer
  }
  return { call, close: () => client.close() }
}

const warehouse = await connect('warehouse')
const analytics = await connect('analytics')

// Three thousand orders stay where they are. The other server sums all of them, by their reference.
const orders = await warehouse.call('orders', { year: 2025 })
assert.equal(orders.is_complete, false)
assert.equal(orders.total_items, 3_000)
const totals = await analytics.call('totals_by', { rows: orders.ref_id, by: 'region', of: 'total' })
const sums = totals.value as Record<string, number>
assert.deepEqual(Object.keys(sums), ['north', 'south', 'west'])
assert.equal(
  Object.values(sums).reduce((sum, total) => sum + total, 0),
  Array.from({ length: 3_000 }, (_, n) => (n % 97) * 10).reduce((sum, total) => sum + total, 0),
)

// Each server answers for what the other one made: pages and questions, too.
const page = await analytics.call('get_cached_result', { ref_id: orders.ref_id, page: 2, page_size: 5 })
assert.equal(page.status, 'complete')
const again = await warehouse.call('get_cached_result', { ref_id: totals.ref_id })
assert.deepEqual(again.value, sums)

// A table that nobody may read stays so at the other server. What comes of it is as private as it is…
const salaries = await warehouse.call('salaries', {})
assert.equal(salaries.value, undefined)
for (const server of [warehouse, analytics]) {
  const read = await server.call('get_cached_result', { ref_id: salaries.ref_id })
  assert.equal(read.error?.code, 'permission_denied')
}
const named = await analytics.call('totals_by', { rows: salaries.ref_id, by: 'name', of: 'salary' })
assert.equal(named.value, undefined)
for (const server of [warehouse, analytics]) {
  const read = await server.call('get_cached_result', { ref_id: named.ref_id })
  assert.equal(read.error?.code, 'permission_denied')
}
// …but for a tool whose author says that its result tells nobody's value.
assert.equal((await analytics.call('mean', { rows: salaries.ref_id, of: 'salary' })).value, 61_333)
// As a number of its own: the digits of a random reference may hold one, too.
for (const salary of [41_111, 47_222, 58_333, 66_444, 93_555])
  assert.ok(!said.some(answer => new RegExp(`\\b${salary}\\b`).test(answer)))

await Promise.all([warehouse.close(), analytics.close()])
rmSync(folder, { recursive: true, force: true })
console.log('All was seen: tables of one server in tools of the other, with the rights that they came with.')
