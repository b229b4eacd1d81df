import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { RefCache } from 'mcp-refcache'
import { FakeClock } from 'mcp-refcache/testing'
import { createServer } from './server.ts'
import { sampleShop } from './shop.ts'

let clock: FakeClock
let cache: RefCache
let agent: Client

/** What the database waits for before it answers. */
let database: Promise<void>

beforeEach(async () => {
  clock = new FakeClock() // stands still until a test moves it
  cache = new RefCache({ name: 'test', clock, defaultTtl: '1h' })
  database = Promise.resolve()
  const orders = Array.from({ length: 6_000 }, (_, id) => ({
    id,
    month: 1 + (id % 12),
    city: 'Faro',
    total: 2,
  }))
  const server = createServer(cache, {
    orders: ({ month }) =>
      database.then(() => orders.filter(order => month === undefined || order.month === month)),
    wages: sampleShop.wages,
  })
  agent = new Client({ name: 'agent', version: '1.0.0' })
  const [oneEnd, otherEnd] = InMemoryTransport.createLinkedPair()
  await Promise.all([server.connect(oneEnd), agent.connect(otherEnd)])
})

afterEach(async () => {
  await agent.close()
  await cache.close()
})

/** What an agent gets. */
async function call(name: string, args: Record<string, unknown> = {}) {
  const { content } = await agent.callTool({ name, arguments: args })
  assert.equal(content[0]?.type, 'text')
  return JSON.parse(content[0].text)
}

it('a small result passes as it is', async () => {
  assert.deepEqual(await call('count_orders', { year: 2026, month: 3 }), { orders: 500 })
})

it('a large result is a preview, which can be read in pages and asked in SQL', async () => {
  const { ref_id, is_complete, total_items } = await call('list_orders', { year: 2026 })
  assert.deepEqual({ is_complete, total_items }, { is_complete: false, total_items: 6_000 })

  const page = await call('get_cached_result', { ref_id, page: 2 })
  assert.equal(page.page, 2)

  const sql = 'select month, count(*) n from items group by 1 order by 1 limit 1'
  assert.deepEqual((await call('query_cached_result', { ref_id, sql })).rows, [[1, 500]])
})

it('a slow call answers with a reference after 2 s, and the same reference gives the result', async () => {
  let go = () => {}
  database = new Promise(resolve => {
    go = resolve
  })
  const calling = call('build_report', { year: 2026 })
  await clock.advance('2s')
  const { status, ref_id } = await calling
  assert.equal(status, 'processing')

  go()
  const report = await call('get_cached_result', { ref_id })
  assert.equal(report.status, 'complete')
  assert.equal(report.ref_id, ref_id)
})

it('a reference ends with its time', async () => {
  const { ref_id } = await call('list_orders', { year: 2026 })
  await clock.advance('61m')
  const { error } = await call('get_cached_result', { ref_id })
  assert.equal(error.code, 'not_found')
})

it('wages can be used, and not be read', async () => {
  const wages = await call('load_wages')
  assert.equal(JSON.stringify(wages).includes('48111'), false)
  const { error } = await call('get_cached_result', { ref_id: wages.ref_id })
  assert.equal(error.code, 'permission_denied')

  assert.equal(await call('average', { numbers: wages.ref_id }), 65_533)
})
