import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { memoryStore } from '../../../src/stores/memory.ts'
import { HttpListener } from '../../../src/wrap/http/listener.ts'
import type { Log } from '../../../src/wrap/log.ts'
import { Wrapper } from '../../../src/wrap/wrap.ts'

const NUMBERS = '[725653563933458437,0.50,1e400,-0]'
const DEEP = `${'['.repeat(400)}${']'.repeat(400)}`
const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

it('numbers and ids pass to clients over HTTP and back as they were written', async () => {
  const bodies: string[] = []
  const upstream = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end()
      bodies.push(body)
      const id = /"id":("[^"]*"|[^,}]+)/.exec(body)?.[1]
      if (id === undefined) return void response.writeHead(202).end()
      const result = /"tools\/call"|"resources\/read"/.test(body)
        ? `{"content":[],"contents":[],"structuredContent":{"n":${NUMBERS},"deep":${DEEP}}}`
        : '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"tools":[]}'
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
    })
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`)
  const wrapper = new Wrapper({
    target: { endpoint: { url, headers: {} } },
    store: memoryStore(),
    settings: { defaults: {}, tools: {} },
    log: silent,
  })
  const listener = new HttpListener(wrapper, { port: 0, log: silent })
  const address = await listener.start()
  let session: Record<string, string> = {}
  const post = async (body: string) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...session,
    }
    const response = await fetch(address, { method: 'POST', headers, body })
    const id = response.headers.get('mcp-session-id')
    if (id) session = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-06-18' }
    return { status: response.status, text: await response.text() }
  }
  const opened = await post(
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}',
  )
  expect(opened.text).toContain('"id":1,')
  await post('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  for (const id of ['7', '"7"', '9007199254740993']) {
    for (const [method, params] of [
      ['tools/call', `"name":"t","arguments":{"n":${NUMBERS},"id":${id}}`],
      ['resources/read', `"uri":"x","n":${NUMBERS}`],
    ]) {
      const { text } = await post(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{${params}}}`)
      expect(text).toContain(`"id":${id},`)
      expect(text).toContain(`{"n":${NUMBERS},"deep":${DEEP}}`)
      expect(text).not.toContain('refcache/text')
      expect(bodies.at(-1)).toContain(`"n":${NUMBERS}`)
    }
  }
  const broken = await post('{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"x":NaN}}')
  expect(broken).toMatchObject({ status: 400, text: expect.stringMatching(/"id":5,.*NaN/) })
  await listener.close()
  await wrapper.close()
  upstream.closeAllConnections()
  upstream.close()
})
