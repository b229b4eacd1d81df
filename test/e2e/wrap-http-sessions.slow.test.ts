import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { expect, it, onTestFinished } from 'vitest'
import { isAlive, PLAIN, Workshop } from './fixtures/wrap-harness.ts'

it('runs at most 32 servers, however many sessions begin at once, and a session in use keeps its own', async () => {
  const workshop = new Workshop()
  onTestFinished(() => workshop.close())
  const raw = workshop.process(['wrap', '--http', '0', '--store', workshop.store, '--', ...PLAIN])
  const url = new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
  const client = new Client({ name: 'http', version: '1' })
  workshop.onEnd(() => client.close())
  // The client holds a stream open.
  await client.connect(new StreamableHTTPClientTransport(url))
  const count = () => client.callTool({ name: 'count', arguments: {} })
  await count()
  const answers = await Promise.all(Array.from({ length: 40 }, () => initialize(url)))
  for (const status of answers) expect([200, 503]).toContain(status)
  const running = workshop.journal('start').filter(({ pid }) => isAlive(pid ?? 0))
  expect(running.length).toBeLessThanOrEqual(32)
  expect((await count()).content).toEqual([{ type: 'text', text: 'call 2' }])
}, 120_000)

/** Begins a session, and never comes back to it. */
async function initialize(url: URL): Promise<number> {
  const params = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'gone', version: '1' },
  }
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  })
  await response.text()
  return response.status
}
