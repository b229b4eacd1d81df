// A server as somebody may write it: an API with pages, a list in an envelope, and a report that takes long and fails.
import { setTimeout as sleep } from 'node:timers/promises'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

const CITIES = ['Lisbon', 'Porto', 'Faro', 'Braga']
export const orders = Array.from({ length: 900 }, (_, at) => ({
  id: `order-${at + 1}`,
  city: CITIES[(at * 7) % 4],
  amount: ((at * 7919) % 90_000) / 100,
  paid: at % 7 !== 0,
}))
const PAGE = 150
const text = value => ({ content: [{ type: 'text', text: value }] })

serveStdio(() => {
  const server = new McpServer({ name: 'orders', version: '1.0.0' })
  server.registerTool('orders', { description: 'All orders.' }, () =>
    text(JSON.stringify({ items: orders, metadata: { total: orders.length, currency: 'EUR' } })),
  )
  const cursor = z.string().optional()
  server.registerTool(
    'list_orders',
    { description: 'Orders, a page at a time.', inputSchema: z.object({ cursor }) },
    ({ cursor = '0' }) => {
      const at = Number(cursor)
      const items = orders.slice(at, at + PAGE)
      const next = at + PAGE < orders.length ? { nextCursor: String(at + PAGE) } : {}
      return text(JSON.stringify({ items, ...next }))
    },
  )
  server.registerTool(
    'yearly_report',
    { description: 'Takes long.', inputSchema: z.object({ year: z.number() }) },
    async ({ year }) => {
      await sleep(Number(process.env.REPORT_MS))
      return { ...text(`The report of ${year} failed: the quota of project 7 is used up.`), isError: true }
    },
  )
  return server
})
