import { readFileSync } from 'node:fs'
import type { CallToolResult } from '@modelcontextprotocol/server'
import * as data from './generated.ts'

const text = (...texts: string[]): CallToolResult => ({
  content: texts.map(one => ({ type: 'text', text: one })),
})
const structured = (value: object): CallToolResult => ({
  ...text(JSON.stringify(value)),
  structuredContent: value as Record<string, unknown>,
})

/** What a real server answered, with its folder named `/project`. */
export function captured(name: string): CallToolResult {
  return JSON.parse(
    readFileSync(new URL(`./captured/${name}.json`, import.meta.url), 'utf8'),
  ) as CallToolResult
}

/** The results that are asked about, each as a server would give it. */
export const RESULTS: Readonly<Record<string, () => CallToolResult>> = {
  orders: () => structured({ metadata: { total: data.orders.length, currency: 'USD' }, items: data.orders }),
  sites: () => structured(data.sites),
  packages: () => structured(data.packages),
  sensors: () => text(JSON.stringify(data.sensors)),
  accounts: () => text(JSON.stringify(data.accounts)),
  sales: () => text(data.salesText),
  events: () => text(data.eventsText),
  settings: () => text(JSON.stringify(data.settings, null, 2)),
  readings: () => text(JSON.stringify(data.readings)),
  log: () => text(data.logText),
  tickets: () =>
    text(JSON.stringify({ ok: true, data: { tickets: data.tickets, paging: { page: 1, pages: 1 } } })),
  payments: () => text(JSON.stringify(data.payments)),
  stock: () =>
    text(
      'Stock of the week, by warehouse. Moves that are negative left the house.',
      data.warehousesText,
      JSON.stringify(data.stock.moves),
    ),
  directory: () => captured('directory'),
  tree: () => captured('tree'),
  graph: () => captured('graph'),
  browser: () => captured('browser'),
}
