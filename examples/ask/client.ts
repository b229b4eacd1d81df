/**
 * An agent asks a large result instead of reading it: which orders of Lisbon were above 500?
 *
 *     npm run build && node examples/ask/client.ts     (Node 22.18 or newer runs TypeScript itself)
 *
 * Ends well only if all of it was really seen.
 */
import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'

const CITIES = ['Lisbon', 'Porto', 'Braga', 'Faro']

const cache = new RefCache({ name: 'shop' })
const server = new McpServer({ name: 'shop', version: '1.0.0' }, { instructions: SERVER_INSTRUCTIONS })
const { registerTool } = attachRefCache(server, cache)
registerTool('list_orders', { description: 'All orders.' }, () => ({
  generated: '2026-01-15',
  orders: Array.from({ length: 5_000 }, (_, at) => ({
    id: at,
    customer: { id: at % 40, name: `Customer ${at % 40}` },
    city: CITIES[at % 4],
    total: `$${((at * 37) % 60_100) / 100}`,
  })),
}))
registerTool('list_customers', { description: 'All customers.' }, () =>
  Array.from({ length: 40 }, (_, id) => ({ id, country: id % 2 === 0 ? 'PT' : 'ES' })),
)

const client = new Client({ name: 'agent', version: '1.0.0' })
const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
await Promise.all([server.connect(serverSide), client.connect(clientSide)])

type Body = Record<string, unknown>

async function call(name: string, args: object = {}): Promise<Body> {
  const { structuredContent } = await client.callTool({ name, arguments: args as Body })
  return structuredContent as Body
}

const orders = await call('list_orders')
assert.equal(orders.is_complete, false)
console.log(`list_orders answers with a preview; its shape: ${JSON.stringify(orders.shape)}`)

const sql =
  "select count(*) n, max(number(total)) most from orders where city = 'Lisbon' and number(total) > 500"
const answer = await call('query_cached_result', { ref_id: orders.ref_id, sql })
assert.deepEqual(answer.columns, ['n', 'most'])
console.log(`orders of Lisbon above 500: ${JSON.stringify(answer.rows)}`)

// The answer is a reference: it can be asked itself, and joined with others.
const customers = await call('list_customers', { _as_ref: true })
const joined = await call('query_cached_result', {
  ref_id: orders.ref_id,
  sql: "select c.country, count(*) n from orders o join customers c on c.id = o.customer->>'id' group by 1 order by 1",
  tables: { customers: customers.ref_id },
})
assert.deepEqual(joined.rows, [
  ['ES', 2_500],
  ['PT', 2_500],
])

const wrong = await call('query_cached_result', { ref_id: orders.ref_id, sql: 'select totl from orders' })
console.log(`a wrong question: ${JSON.stringify(wrong.error)}`)
assert.match(JSON.stringify(wrong), /There is no column totl\. There are, in orders: total/)

await client.close()
await cache.close()
console.log('All was seen that should be.')
