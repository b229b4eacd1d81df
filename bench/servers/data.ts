import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'

/** Answers of shapes that servers give and no server at hand has: a wrapped list, a log, a table, a graph. */
function dataServer(): McpServer {
  const server = new McpServer({ name: 'data', version: '1.0.0' })
  const text = (name: string, make: () => string) =>
    server.registerTool(name, { description: `Gives ${name}.` }, () => ({
      content: [{ type: 'text', text: make() }],
    }))
  text('orders', () => JSON.stringify({ metadata: { total: 900, currency: 'EUR' }, items: orders(900) }))
  text('few_orders', () => JSON.stringify({ metadata: { total: 40, currency: 'EUR' }, items: orders(40) }))
  text('log', () => log(5_000_000))
  text('csv', () => csv(40_000))
  text('graph', () => JSON.stringify(graph(60), null, 2))
  return server
}

const SERVICES = ['billing', 'auth', 'search', 'mail', 'stock']
const CITIES = ['Lisbon', 'Porto', 'Faro', 'Braga']

function orders(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    id: `order-${at + 1}`,
    city: CITIES[at % 4],
    amount: ((at * 7919) % 90_000) / 100,
    paid: at % 7 !== 0,
    items: 1 + (at % 5),
  }))
}

/** One line among them names the needle. */
function log(characters: number): string {
  const lines: string[] = []
  for (let length = 0, at = 0; length < characters; at++) {
    const service = SERVICES[at % 5]
    const what = at === 31_234 ? 'ERROR needle: disk full on node-7' : `INFO request ${at} took ${at % 97} ms`
    const time = new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString()
    const line = `${time} ${service} ${what}, user ${(at * 31) % 5000}, session ${(at * 7919).toString(36)}`
    lines.push(line)
    length += line.length + 1
  }
  return lines.join('\n')
}

function csv(rows: number): string {
  const lines = Array.from({ length: rows }, (_, at) =>
    [at + 1, CITIES[at % 4], at === 23_456 ? 99_999 : (at * 13) % 500, `2026-01-${1 + (at % 28)}`].join(','),
  )
  return ['id,city,amount,day', ...lines].join('\n')
}

/** As the memory server of the reference servers answers `read_graph`. */
function graph(count: number) {
  const name = (at: number) => `person_${at % count}`
  return {
    entities: Array.from({ length: count }, (_, at) => ({
      type: 'entity',
      name: name(at),
      entityType: 'person',
      observations: [`Works in ${CITIES[at % 4]}`, `Owns the ${SERVICES[at % 5]} service`],
    })),
    relations: Array.from({ length: count }, (_, at) => ({
      type: 'relation',
      from: name(at),
      to: name(at + 1),
      relationType: 'knows',
    })),
  }
}

serveStdio(dataServer)
