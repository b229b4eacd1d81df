import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { stringifyJson } from '../../../src/core/json-text.ts'
import { HttpChannel } from '../../../src/wrap/channels/http-channel.ts'
import { probeEndpoint } from '../../../src/wrap/channels/probe-endpoint.ts'
import { Wired } from './wired.ts'

const servers: Server[] = []
const opened: Wired[] = []
afterEach(async () => {
  for (const wired of opened.splice(0)) await wired.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

async function listen(answer: Answer): Promise<URL> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => answer(request, response, body))
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
}

/** A server with sessions that it may forget. */
class Sessions {
  /** As the protocol has it, or as many servers have. */
  refusal = { status: 404, body: '{}' }
  readonly runs: string[] = []
  valid = ''
  refusals = 0
  #count = 0

  readonly answer: Answer = (request, response, body) => {
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const message = JSON.parse(body)
    const known = request.headers['mcp-session-id'] === this.valid
    if (message.method !== 'initialize' && !known) {
      this.refusals++
      const { status, body } = this.refusal
      return void response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    }
    if (message.id === undefined) return void response.writeHead(202).end()
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    let result: object = {}
    if (message.method === 'initialize') {
      this.valid = `session-${++this.#count}`
      headers['mcp-session-id'] = this.valid
      result = {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 's', version: '1' },
      }
    } else if (message.method === 'tools/list') result = { tools: [] }
    else {
      this.runs.push(message.params.name ?? message.params.uri)
      result = { content: [] }
    }
    response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
  }
}

async function open(url: URL): Promise<Wired> {
  const wired = await Wired.open(() => {}, { channel: async () => new HttpChannel({ url, headers: {} }) })
  opened.push(wired)
  await wired.ask(
    'i',
    'initialize',
    '{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}',
  )
  wired.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  return wired
}

describe('a server that has forgotten its session', () => {
  it.each([
    { status: 404, body: '{}' },
    { status: 400, body: '{"error":{"message":"Bad Request: No valid session ID provided"}}' },
  ])('and answers $status gets each call that met that once more, on the new session', async refusal => {
    const sessions = new Sessions()
    sessions.refusal = refusal
    const wired = await open(await listen(sessions.answer))
    await wired.ask(0, 'tools/call', '{"name":"before"}')
    sessions.valid = 'none'
    const asked = ['a', 'b', 'c'].map(name => wired.ask(name, 'tools/call', `{"name":"${name}"}`))
    const passing = wired.ask('r', 'resources/read', '{"uri":"r"}')
    for (const answer of await Promise.all([...asked, passing])) expect(answer).toContain('"result"')
    expect([...sessions.runs].sort()).toEqual(['a', 'b', 'before', 'c', 'r'])
  })

  it('and forgets every session: the call fails, and is not sent for ever', async () => {
    const sessions = new Sessions()
    const wired = await open(
      await listen((request, response, body) => {
        if (body.includes('tools/call')) sessions.valid = 'none'
        sessions.answer(request, response, body)
      }),
    )
    expect(await wired.ask('a', 'tools/call', '{"name":"a"}')).toContain('has ended the session')
    expect(await wired.ask('b', 'resources/read', '{"uri":"tools/call"}')).toContain('"error"')
    expect(sessions.runs).toEqual([])
    expect(sessions.refusals).toBeLessThan(8)
  })
})

describe('a long answer over HTTP', () => {
  const text = 'grüße \\n"quoted" 🎈 '.repeat(40_000)
  const result = `{"contents":[{"uri":"r","text":${JSON.stringify(text)}}],"n":0.50}`
  const PROGRESS = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}'

  it.each([
    ['as a body of JSON', 'application/json', (message: string) => [message]],
    ['in an event', 'text/event-stream', (message: string) => [`id: 1\ndata: ${message}\n\n`]],
    [
      'in an event of several lines, with other lines and ends',
      'text/event-stream',
      (message: string) => [
        `: hello\r\ndata:${PROGRESS}\r\n\r\nevent: message\rdata: ${message.slice(0, 1)}\r`,
        `\ndata: ${message.slice(1)}`,
        '\r\n\r\n',
      ],
    ],
  ])('%s is read as it came, and never parsed whole', async (_, type, bodyOf) => {
    const url = await listen((request, response, body) => {
      if (request.method !== 'POST') return void response.writeHead(405).end()
      const { id, method } = JSON.parse(body)
      if (id === undefined) return void response.writeHead(202).end()
      const answer =
        method === 'resources/read' ? result : '{"protocolVersion":"2025-06-18","capabilities":{}}'
      const message = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${answer}}`
      response.writeHead(200, { 'content-type': method === 'initialize' ? 'application/json' : type })
      if (method === 'initialize') return void response.end(message)
      for (const part of bodyOf(message)) response.write(part)
      response.end()
    })
    const wired = await open(url)
    const parse = vi.spyOn(JSON, 'parse')
    const answer = await wired.ask('r', 'resources/read', '{"uri":"r"}')
    const longest = Math.max(...parse.mock.calls.map(([piece]) => String(piece).length))
    parse.mockRestore()
    expect(answer).toBe(`{"jsonrpc":"2.0","id":"r","result":${result}}`)
    expect(longest).toBeLessThan(256 * 1024)
  })

  it('that is broken ends its request with the reason', async () => {
    const url = await listen((request, response, body) => {
      if (request.method !== 'POST') return void response.writeHead(405).end()
      const { id, method } = JSON.parse(body)
      if (id === undefined) return void response.writeHead(202).end()
      response.writeHead(200, { 'content-type': 'application/json' })
      const answer =
        method === 'initialize' ? '{"protocolVersion":"2025-06-18","capabilities":{}}' : `[${result}`
      const own = JSON.stringify(id)
      // As servers write it that put the result first.
      if (method === 'initialize') response.end(`{"jsonrpc":"2.0","id":${own},"result":${answer}}`)
      else response.end(`{"result":${answer},"jsonrpc":"2.0","id":${own}}`)
    })
    const wired = await open(url)
    expect(await wired.ask('r', 'resources/read', '{"uri":"r"}')).toContain('malformed')
  })
})

describe('an address is looked at first', () => {
  it.each([
    ['nothing listens', 'nothing listens there', undefined],
    ['it wants credentials', '--header', (_, response) => response.writeHead(401).end()],
    [
      'it speaks the old transport',
      'old HTTP+SSE transport',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('event: endpoint\ndata: /messages?id=1\n\n')
      },
    ],
  ] as Array<[string, string, Answer | undefined]>)('%s', async (_, why, answer) => {
    const url = await listen(answer ?? (() => {}))
    if (!answer) servers.pop()?.close()
    url.search = '?key=s3cr3t'
    const probe = probeEndpoint({ url, headers: {} })
    await expect(probe).rejects.toThrow(why)
    await expect(probe).rejects.toThrow(`${url.origin}/mcp`)
    await expect(probe).rejects.not.toThrow('s3cr3t')
  })

  it.each([200, 400, 404, 405, 406])('a server that answers with %d is one', async status => {
    const url = await listen((_, response) => {
      response.writeHead(status, { 'content-type': 'text/event-stream' })
      if (status === 200) response.write(': silent\n\n')
      else response.end()
    })
    await expect(probeEndpoint({ url, headers: {} })).resolves.toBeUndefined()
  })

  it.each([
    [401, '--header'],
    [405, 'Streamable HTTP'],
    [404, 'HTTP+SSE transport needs a bridge'],
  ])('a call that is answered with %d says what to do', async (status, why) => {
    const url = await listen((_, response) => response.writeHead(status).end())
    const wired = await Wired.open(() => {}, { channel: async () => new HttpChannel({ url, headers: {} }) })
    opened.push(wired)
    const answer = await wired.ask('i', 'initialize')
    expect(answer).toContain(why)
    expect(answer).toContain(`The server at ${url.href} `)
  })
})

describe('what passes over HTTP', () => {
  it('names the revision that was agreed on, whatever the digits of the handshake', async () => {
    const revisions = new Map<string, unknown>()
    const url = await listen((request, response, body) => {
      if (request.method !== 'POST') return void response.writeHead(405).end()
      const [, id, method = ''] = /"id":([^,]+),"method":"([^"]*)"/.exec(body) ?? []
      revisions.set(method, request.headers['mcp-protocol-version'])
      if (id === undefined) return void response.writeHead(202).end()
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(
          `{"jsonrpc":"2.0","id":${id},"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"s","version":"1"},"tools":[]}}`,
        )
    })
    const wired = await Wired.open(() => {}, { channel: async () => new HttpChannel({ url, headers: {} }) })
    opened.push(wired)
    const id = '725653563933458437'
    wired.send(
      `{"jsonrpc":"2.0","id":${id},"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`,
    )
    await wired.line(`"id":${id}`)
    await wired.ask(2, 'resources/list')
    expect(revisions.get('resources/list')).toBe('2025-06-18')
  })

  const NUMBERS = '[725653563933458437,0.50,1e400,-0]'
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`

  it.each(['application/json', 'text/event-stream'])('keeps every digit and any depth, as %s', async type => {
    const bodies: string[] = []
    const url = await listen((request, response, body) => {
      if (request.method !== 'POST') return void response.writeHead(405).end()
      bodies.push(body)
      const id = /"id":("[^"]*"|[^,}]+)/.exec(body)?.[1]
      if (id === undefined) return void response.writeHead(202).end()
      const result = body.includes('"tools/call"')
        ? `{"content":[],"structuredContent":{"n":${NUMBERS},"deep":${body.includes('"nan"') ? 'NaN' : deep}}}`
        : '{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"s","version":"1"},"tools":[]}'
      const message = `{"jsonrpc":"2.0","id":${id},"result":${result}}`
      response.writeHead(200, { 'content-type': type })
      response.end(
        type === 'application/json' ? message : `: hello\r\nevent: message\r\ndata: ${message}\r\n\r\n`,
      )
    })
    const wired = await open(url)
    const answer = await wired.ask(
      1,
      'tools/call',
      `{"name":"t","arguments":{"n":${NUMBERS},"deep":${deep}}}`,
    )
    const { structuredContent } = JSON.parse(answer).result
    const full = structuredContent.ref_id
      ? await wired.poll(2, 'get_cached_result', { ref_id: structuredContent.ref_id, full: true })
      : answer
    expect(
      JSON.stringify(answer).includes('725653563933458437') || stringifyJson(full).includes(NUMBERS),
    ).toBe(true)
    expect(stringifyJson(full).includes(deep)).toBe(true)
    const called = bodies.find(body => body.includes('tools/call')) ?? ''
    expect(called.includes(`"n":${NUMBERS},"deep":${deep}`)).toBe(true)
    expect(called).not.toContain('refcache/text')
    expect(await wired.ask(3, 'tools/call', '{"name":"nan"}')).toContain('NaN')
  })
})

it('an error of JSON-RPC with status 400 is the error of its call, at 2026-07-28', async () => {
  const url = await listen((request, response, body) => {
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const { id } = JSON.parse(body)
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(
      `{"jsonrpc":"2.0","id":${id},"error":{"code":-32021,"message":"Say more.","data":{"n":1.0}}}`,
    )
  })
  const wired = await Wired.open(() => {}, { channel: async () => new HttpChannel({ url, headers: {} }) })
  opened.push(wired)
  const meta =
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}'
  expect(await wired.ask(1, 'resources/read', `{"uri":"x",${meta}}`)).toBe(
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"Say more.","data":{"n":1.0}}}',
  )
})
