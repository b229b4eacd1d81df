import { Agent, type IncomingMessage, request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HttpListener } from '../../../src/wrap/http/listener.ts'
import type { Log } from '../../../src/wrap/log.ts'
import { isRequest } from '../../../src/wrap/rpc.ts'
import type { Wrapper } from '../../../src/wrap/wrap.ts'
import { Chatty, turn } from './chatty.ts'
import { Wired } from './wired.ts'

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const TEXT = 'x'.repeat(100_000)
/** More than the buffers of both ends take: 100 MB. */
const MANY = 1_000
/** What those buffers may take: 30 MB. */
const SOME = 300

class HttpClient {
  readonly agent = new Agent()
  session: string | undefined

  constructor(readonly url: string) {}

  /** The answer, of which nothing is read yet. */
  send(method: 'GET' | 'POST', message?: object): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(this.session ? { 'mcp-session-id': this.session } : {}),
      }
      const sent = request(this.url, { method, headers, agent: this.agent }, resolve)
      sent.on('error', reject)
      sent.end(message && JSON.stringify({ jsonrpc: '2.0', ...message }))
    })
  }
}

/** The numbers of the messages in an answer, which is read from now on; and whether it has come to a text. */
function read(response: IncomingMessage): { (): number[]; has(text: string): boolean } {
  const chunks: Buffer[] = []
  let end = ''
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    end = (end + chunk.toString('latin1')).slice(-200)
  })
  const numbers = () => {
    const text = Buffer.concat(chunks).toString('latin1')
    return [...text.matchAll(/"(?:data|message)":"(\d+) /g)].map(found => Number(found[1]))
  }
  return Object.assign(numbers, { has: (text: string) => end.includes(text) })
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

let server: Chatty
let client: HttpClient
let listener: HttpListener
let wired: Wired
beforeEach(async () => {
  server = new Chatty()
  const privateSession: Wrapper['privateSession'] = channel => {
    wired = new Wired(() => {}, { channel: async () => server, client: channel })
    return wired.session
  }
  listener = new HttpListener({ privateSession } as Wrapper, { port: 0, log: silent })
  client = new HttpClient(await listener.start())
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  const answer = client.send('POST', { id: 0, method: 'initialize', params })
  const initialize = await heard('initialize')
  const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 's', version: '1' } }
  server.onmessage?.({ jsonrpc: '2.0', id: initialize.id, result })
  const { headers } = (await answer).resume()
  client.session = headers['mcp-session-id'] as string
})
afterEach(async () => {
  client.agent.destroy()
  await listener.close()
  await wired.cache.close()
})

async function heard(method: string, count = 1) {
  await until(() => requests(method).length === count)
  return requests(method).at(-1) as unknown as { id: string; params: { _meta: { progressToken: string } } }
}

function requests(method: string) {
  return server.heard.filter(message => isRequest(message) && message.method === method)
}

/** Says one thing after another, until it has to wait. Gives how many it said. */
async function sayUntilPaused(say: (data: string) => void, from = 0): Promise<number> {
  let said = from
  for (; said < MANY && !server.paused; said++) {
    say(`${said} ${TEXT}`)
    await turn()
  }
  return said
}

describe('a client over HTTP that does not read', () => {
  it('what the server says by itself makes it wait, and gets all of it when it reads', async () => {
    const stream = await client.send('GET')
    const said = await sayUntilPaused(data => server.say(data))
    expect(said).toBeLessThan(SOME)
    // What the client has to say still reaches the server.
    void client.send('POST', { id: 1, method: 'ping' })
    await heard('ping')
    const numbers = read(stream)
    await until(() => !server.paused)
    server.say(`${said} the last one`)
    await until(() => numbers.has('the last one'))
    expect(numbers()).toEqual(upTo(said + 1))
  })

  it('what belongs to a request makes the server wait, up to the answer', async () => {
    const asked = client.send('POST', { id: 1, method: 'long', params: { _meta: { progressToken: 'p' } } })
    const { id, params } = await heard('long')
    const progress = (message: string) =>
      server.onmessage?.({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: params._meta.progressToken, progress: 1, message },
      })
    progress('0 first')
    const answer = await asked
    const said = await sayUntilPaused(progress, 1)
    expect(said).toBeLessThan(SOME)
    const numbers = read(answer)
    await until(() => !server.paused)
    server.onmessage?.({ jsonrpc: '2.0', id, result: { message: `${said} the end` } })
    await until(() => answer.readableEnded)
    expect(numbers()).toEqual(upTo(said + 1))
  })

  it('answers make the server wait', async () => {
    const answers: IncomingMessage[] = []
    let asked = 0
    for (; asked < 100 && !server.paused; asked++) {
      const answer = client.send('POST', { id: asked + 1, method: 'large' })
      const { id } = await heard('large', asked + 1)
      server.onmessage?.({ jsonrpc: '2.0', id, result: { message: `${asked} ${TEXT.repeat(40)}` } })
      answers.push(await answer)
      await turn()
    }
    // Far beyond what the buffers of both ends take.
    expect(asked).toBeLessThan(100)
    const numbers = answers.map(read)
    await until(() => answers.every(answer => answer.readableEnded))
    expect(numbers.flatMap(of => of())).toEqual(upTo(asked))
    await until(() => !server.paused)
  })

  it('that goes away lets the server go on, and its other requests are answered', async () => {
    const stream = await client.send('GET')
    await sayUntilPaused(data => server.say(data))
    expect(server.paused).toBe(true)
    stream.destroy()
    await until(() => !server.paused)
    const answer = client.send('POST', { id: 1, method: 'ping' })
    const { id } = await heard('ping')
    server.onmessage?.({ jsonrpc: '2.0', id, result: { message: '0 pong' } })
    const numbers = read(await answer)
    await until(() => numbers.has('pong'))
  })
})

it('an answer that comes before the head of its response is whole', async () => {
  const listening = server.send.bind(server)
  server.send = async message => {
    await listening(message)
    if (isRequest(message))
      server.onmessage?.({ jsonrpc: '2.0', id: message.id, result: { message: '0 at once' } })
  }
  const answer = await client.send('POST', { id: 1, method: 'ping' })
  const numbers = read(answer)
  await until(() => answer.readableEnded)
  expect(numbers()).toEqual([0])
})
