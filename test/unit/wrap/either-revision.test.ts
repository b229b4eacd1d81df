import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import type { Channel } from '../../../src/wrap/channels/channel.ts'
import { EitherRevision } from '../../../src/wrap/channels/either-revision.ts'
import { isRequest, type RpcMessage, type RpcRequest } from '../../../src/wrap/rpc.ts'

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
const DISCOVER: RpcRequest = { jsonrpc: '2.0', id: 'd', method: 'server/discover', params: { _meta: META } }
const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'old', version: '1' },
}

type Answer = { result: JsonObject } | { error: { code: number; message: string } } | 'ends' | undefined

/** A server that answers requests by their method. */
class Server implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  readonly heard: string[] = []
  closed = false

  #answerTo: (request: RpcRequest) => Answer

  constructor(answers: Readonly<Record<string, Answer>>) {
    this.#answerTo = ({ method }) => answers[method]
  }

  answerWith(answer: (request: RpcRequest) => Answer): void {
    this.#answerTo = answer
  }

  async start(): Promise<void> {}
  pause(): void {}
  resume(): void {}

  async send(message: RpcMessage): Promise<void> {
    if ('method' in message) this.heard.push(message.method)
    if (!isRequest(message)) return
    const answer = this.#answerTo(message) ?? { error: { code: -32601, message: 'Method not found' } }
    queueMicrotask(() => {
      if (answer === 'ends') this.onclose?.('It ended.')
      else this.onmessage?.({ jsonrpc: '2.0', id: message.id, ...answer })
    })
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

async function open(answers: Readonly<Record<string, Answer>>, adaptation = { isNeeded: false }) {
  const servers: Server[] = []
  const told: RpcMessage[] = []
  const ends: string[] = []
  const channel = new EitherRevision(async () => {
    const server = new Server(answers)
    servers.push(server)
    return server
  }, adaptation)
  channel.onmessage = message => void told.push(message)
  channel.onclose = reason => void ends.push(reason)
  await channel.start()
  const answerTo = async (request: RpcRequest) => {
    await channel.send(request)
    await expect.poll(() => told.some(message => 'id' in message && message.id === request.id)).toBe(true)
    return told.find(message => 'id' in message && message.id === request.id)
  }
  return { channel, servers, told, ends, answerTo, adaptation }
}

const tools: RpcRequest = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } }

describe('a client that asks for 2026-07-28', () => {
  it('hears that its question is wrong, from a server that answers a right one; the server stays as it is', async () => {
    const { channel, servers, told, answerTo, adaptation } = await open({})
    const [server] = servers
    const refusal = { error: { code: -32602, message: 'Say who you are.' } }
    server?.answerWith(({ id }) => (id === 'd' ? refusal : { result: { supportedVersions: ['2026-07-28'] } }))
    expect(await answerTo(DISCOVER)).toMatchObject(refusal)
    expect(adaptation.isNeeded).toBe(false)
    expect(server?.heard).toEqual(['server/discover', 'server/discover'])
    expect(told).toHaveLength(1)
    await channel.close()
  })

  it('is served by a server of 2025-11-25, which is begun once and told nothing of the later revision', async () => {
    const { servers, answerTo, adaptation } = await open({
      initialize: { result: INITIALIZED },
      'tools/list': { result: { tools: [] } },
    })
    expect(await answerTo(DISCOVER)).toMatchObject({
      result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
    })
    expect(await answerTo(tools)).toMatchObject({ result: { resultType: 'complete', tools: [] } })
    expect(servers).toHaveLength(1)
    expect(servers[0]?.heard).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/list',
    ])
    expect(adaptation.isNeeded).toBe(true)
  })

  it('is so, too, for what it asks before it has heard', async () => {
    const { channel, servers, told } = await open({
      initialize: { result: INITIALIZED },
      'tools/list': { result: { tools: [] } },
    })
    const again = { ...DISCOVER, id: 'again' }
    await Promise.all([channel.send(DISCOVER), channel.send(tools), channel.send(again)])
    await expect.poll(() => told.length).toBe(3)
    for (const answer of told) expect(answer).toMatchObject({ result: { resultType: 'complete' } })
    expect(servers[0]?.heard.filter(method => method === 'server/discover')).toHaveLength(1)
    await channel.close()
  })

  it('asks on where it has given up its question', async () => {
    const { channel, servers } = await open({})
    // Answers nothing.
    if (servers[0])
      servers[0].send = async message => void ('method' in message && servers[0]?.heard.push(message.method))
    await channel.send(DISCOVER)
    const waiting = channel.send(tools)
    await channel.send({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: DISCOVER.id },
    })
    await waiting
    expect(servers[0]?.heard).toEqual(['server/discover', 'notifications/cancelled', 'tools/list'])
    await channel.close()
  })

  it('is so after a restart, without a question', async () => {
    const { servers, answerTo } = await open(
      { initialize: { result: INITIALIZED }, 'tools/list': { result: { tools: [] } } },
      { isNeeded: true },
    )
    expect(await answerTo(tools)).toMatchObject({ result: { resultType: 'complete' } })
    expect(servers[0]?.heard).not.toContain('server/discover')
  })

  it('is so by a server that ends when it is asked before the handshake: it is started again', async () => {
    const { servers, answerTo, ends } = await open({
      'server/discover': 'ends',
      initialize: { result: INITIALIZED },
    })
    expect(await answerTo(DISCOVER)).toHaveProperty('result.supportedVersions')
    expect(servers).toHaveLength(2)
    expect(ends).toEqual([])
  })

  it.each<[string, Answer]>([
    ['speaks it', { result: { resultType: 'complete', supportedVersions: ['2026-07-28'] } }],
    ['wants another revision', { error: { code: -32022, message: 'Unsupported protocol version' } }],
  ])('has the answer of a server that %s', async (_, answer) => {
    const { servers, answerTo } = await open({ 'server/discover': answer })
    expect(await answerTo(DISCOVER)).toMatchObject(answer as object)
    expect(await answerTo(tools)).toMatchObject({ error: { code: -32601 } })
    expect(servers[0]?.heard).toEqual(['server/discover', 'tools/list'])
  })

  it('hears the refusal of a server that can be begun at no revision', async () => {
    const { answerTo } = await open({})
    expect(await answerTo(DISCOVER)).toMatchObject({ error: { code: -32601 } })
  })
})

it('a client of 2025-11-25 is passed through', async () => {
  const { servers, answerTo } = await open({ initialize: { result: INITIALIZED }, ping: { result: {} } })
  const begin: RpcRequest = { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }
  expect(await answerTo(begin)).toMatchObject({ result: INITIALIZED })
  expect(await answerTo({ jsonrpc: '2.0', id: 1, method: 'ping' })).toMatchObject({ result: {} })
  expect(servers[0]?.heard).toEqual(['initialize', 'ping'])
})

it('a server that ends later ends for the client', async () => {
  const { answerTo, ends, channel } = await open({
    initialize: { result: INITIALIZED },
    'tools/call': 'ends',
  })
  await answerTo(DISCOVER)
  await channel.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 't', _meta: META } })
  await expect.poll(() => ends).toEqual(['It ended.'])
})
