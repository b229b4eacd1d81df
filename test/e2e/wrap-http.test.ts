import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, isAlive, MAIN, PLAIN, type Raw, until, Workshop } from './fixtures/wrap-harness.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

async function serve(command: readonly string[], ...options: string[]): Promise<{ url: URL; raw: Raw }> {
  const raw = workshop.process([
    'wrap',
    '--http',
    '0',
    '--store',
    workshop.store,
    ...options,
    '--',
    ...command,
  ])
  const address = /on (http:\S+)/.exec(await raw.ready())?.[1] ?? ''
  return { url: new URL(address), raw }
}

async function clientOf(url: URL, options?: ClientOptions): Promise<Client> {
  const client = new Client({ name: 'http', version: '1' }, options)
  workshop.onEnd(() => client.close())
  await client.connect(new StreamableHTTPClientTransport(url))
  return client
}

async function call(client: Client, name: string, args: Answer = {}): Promise<Answer> {
  return client.callTool({ name, arguments: args })
}

function status(url: URL, headers: Record<string, string>, path = '/mcp'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: url.hostname, port: url.port, path, method: 'POST', headers }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end('{}')
  })
}

describe('the wrapper on HTTP', () => {
  it('serves tools, progress, handles and what the server asks of the client', async () => {
    const { url } = await serve([...EVERYTHING, 'stdio'], '--async-timeout', '1s')
    const client = await clientOf(url, { capabilities: { sampling: {}, roots: {} } })
    client.setRequestHandler('roots/list', () => ({ roots: [] }))
    client.setRequestHandler('sampling/createMessage', () => ({
      model: 'test',
      role: 'assistant',
      content: { type: 'text', text: 'sampled over http' },
    }))
    expect((await call(client, 'echo', { message: 'hi' })).content).toEqual([
      { type: 'text', text: 'Echo: hi' },
    ])
    const handle = (await call(client, 'trigger-long-running-operation', { duration: 2.5, steps: 10 }))
      .structuredContent
    expect(handle.status).toBe('processing')
    const seen: number[] = []
    const polled = (await client.callTool(
      { name: 'get_cached_result', arguments: { ref_id: handle.ref_id } },
      { onprogress: ({ progress }) => seen.push(progress) },
    )) as Answer
    expect(polled._meta['mcp-refcache/ref_id']).toBe(handle.ref_id)
    expect(polled.content[0].text).toContain('completed')
    expect(seen.length).toBeGreaterThan(1)
    const sampled = await call(client, 'trigger-sampling-request', { prompt: 'why', maxTokens: 5 })
    expect(JSON.stringify(sampled.content)).toContain('sampled over http')
  })

  it('serves a client of the SDK v1, and falls back for one that would speak a later revision', async () => {
    const { url } = await serve(PLAIN)
    const auto = await clientOf(url, { versionNegotiation: { mode: 'auto' } })
    expect((await call(auto, 'count')).content[0].text).toBe('call 1')
    const v1 = new V1Client({ name: 'v1', version: '1' })
    workshop.onEnd(() => v1.close())
    // biome-ignore lint/suspicious/noExplicitAny: the SDK's own types disagree under exactOptionalPropertyTypes
    await v1.connect(new V1Transport(url) as any)
    expect(((await v1.callTool({ name: 'count', arguments: {} })) as Answer).content[0].text).toBe('call 1')
  })

  it('gives each session a server of its own, shares no result, and hides the references of others', async () => {
    const { url } = await serve(PLAIN, '--memoize', 'count-pure')
    const [alice, bob] = [await clientOf(url), await clientOf(url)]
    const one = await call(alice, 'count-pure')
    const two = await call(bob, 'count-pure')
    const refs = [one, two].map(({ _meta }) => _meta['mcp-refcache/ref_id'])
    expect(refs[0]).not.toBe(refs[1])
    expect(workshop.journal('start')).toHaveLength(2)
    expect((await call(alice, 'get_cached_result', { ref_id: refs[0] })).content).toEqual(one.content)
    const stolen = await call(bob, 'get_cached_result', { ref_id: refs[0] })
    const unknown = await call(bob, 'get_cached_result', { ref_id: `${refs[0].slice(0, -4)}0000` })
    expect(stolen).toEqual(unknown)
    expect(stolen.structuredContent.error.code).toBe('not_found')
  })

  it('ends a session’s server with the session, and all of them with itself', async () => {
    const { url, raw } = await serve(PLAIN)
    const client = new Client({ name: 'http', version: '1' })
    const transport = new StreamableHTTPClientTransport(url)
    await client.connect(transport)
    const [first] = workshop.journal('start')
    await transport.terminateSession()
    await client.close()
    await until(() => !isAlive(first?.pid ?? 0) || undefined, 'the server of the ended session to be gone')

    await clientOf(url)
    const second = workshop.journal('start')[1]
    raw.child.kill('SIGTERM')
    expect(await raw.exit).toMatchObject({ code: 143 })
    expect(isAlive(second?.pid ?? 0)).toBe(false)
  })

  it('answers only to local names and pages, and only at its endpoint', async () => {
    const { url } = await serve(PLAIN)
    const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    expect(await status(url, { ...json, host: 'evil.example' })).toBe(403)
    expect(await status(url, { ...json, origin: 'https://evil.example' })).toBe(403)
    expect(await status(url, { ...json, origin: 'http://localhost:3000' })).toBe(400)
    expect(await status(url, json, '/elsewhere')).toBe(404)
    expect(await status(url, { ...json, 'mcp-session-id': 'unknown' })).toBe(404)
    expect(url.hostname).toBe('127.0.0.1')
    expect(workshop.journal('start')).toEqual([])
  })

  it('survives requests that are no proper requests', async () => {
    const { url, raw } = await serve(PLAIN)
    for (const line of ['GET // HTTP/1.1', 'POST /\\ HTTP/1.1', 'GET http://[ HTTP/1.1', 'nonsense']) {
      const socket = connect(Number(url.port), url.hostname)
      workshop.onEnd(() => socket.destroy())
      await once(socket, 'connect')
      socket.write(`${line}\r\nHost: 127.0.0.1:${url.port}\r\n\r\n`)
      await once(socket, 'data')
      socket.destroy()
    }
    expect(raw.child.exitCode).toBeNull()
    expect((await call(await clientOf(url), 'count')).content).toEqual([{ type: 'text', text: 'call 1' }])
  })

  it('fails the task of a session that ended, once and for all', async () => {
    const { url, raw } = await serve(PLAIN, '--async-timeout', '50ms', '--lease', '500ms')
    const transport = new StreamableHTTPClientTransport(url)
    const client = new Client({ name: 'leaving', version: '1' })
    await client.connect(transport)
    const handle = (await call(client, 'slow-pure', { ms: 60_000 })).structuredContent
    expect(handle.status).toBe('processing')
    await transport.terminateSession()
    await client.close()
    const other = await clientOf(url)
    await call(other, 'count')
    await until(() => workshop.journal('start').length === 2 || undefined, 'both servers to have started')
    await new Promise(done => setTimeout(done, 2_500))
    expect(workshop.journal('start')).toHaveLength(2)
    expect(workshop.journal('tools/call').filter(({ params }) => params?.name === 'slow-pure')).toHaveLength(
      1,
    )
    expect(raw.child.exitCode).toBeNull()
  })

  it('admits who has a token of the file, at both revisions, and refuses a file that others can read', async () => {
    const file = `${workshop.folder}/tokens`
    writeFileSync(file, 'alices-token alice\n', { mode: 0o600 })
    const { url } = await serve(PLAIN, '--tokens', file)
    expect((await fetch(url, { method: 'POST' })).headers.get('www-authenticate')).toMatch(/^Bearer/)
    await expect(clientOf(url)).rejects.toThrow()
    const headers = { authorization: 'Bearer alices-token' }
    for (const mode of ['auto', 'legacy'] as const) {
      const client = new Client({ name: 'alice', version: '1' }, { versionNegotiation: { mode } })
      workshop.onEnd(() => client.close())
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
      expect(client.getNegotiatedProtocolVersion()).toBe(mode === 'auto' ? '2026-07-28' : '2025-11-25')
      expect((await call(client, 'count')).content[0].text).toBe('call 1')
    }
    chmodSync(file, 0o644)
    const args = ['wrap', '--http', '0', '--store', 'memory', '--tokens', file, '--', ...PLAIN]
    const raw = workshop.process(args)
    expect(await raw.exit).toMatchObject({ code: 2 })
    expect(raw.stderr).toContain('chmod 600')
  })

  it('says that a port is in use: exit code 4', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    workshop.onEnd(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const raw = workshop.process(['wrap', '--http', String(port), '--store', 'memory', '--', ...PLAIN])
    expect(await raw.exit).toMatchObject({ code: 4 })
    expect(raw.stderr).toContain('[port_in_use]')
  })

  it('tells a client whose server cannot be started', async () => {
    const { url, raw } = await serve(['no-such-command-anywhere'])
    await expect(clientOf(url)).rejects.toThrow(/cannot be started/)
    await until(() => raw.stderr.includes('upstream_unusable') || undefined, 'the log')
    expect(raw.child.exitCode).toBe(null)
  })
})

describe('a server behind HTTP', () => {
  async function everythingOnHttp(): Promise<string> {
    const port = await freePort()
    const child = spawn(EVERYTHING[0] ?? '', [EVERYTHING[1] ?? '', 'streamableHttp'], {
      env: { ...process.env, PORT: String(port) },
    })
    workshop.onEnd(() => child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    await until(() => output.includes(String(port)) || undefined, 'server-everything to listen')
    return `http://127.0.0.1:${port}/mcp`
  }

  it('is wrapped all the same: answers, handles, progress, what it asks of the client', async () => {
    const url = await everythingOnHttp()
    const args = [
      'wrap',
      '--store',
      workshop.store,
      '--url',
      url,
      '--header',
      'X-Test: 1',
      '--async-timeout',
      '1s',
    ]
    const { client } = await workshop.connect([process.execPath, MAIN, ...args], {
      client: { capabilities: { sampling: {} } },
    })
    client.setRequestHandler('sampling/createMessage', () => ({
      model: 'test',
      role: 'assistant',
      content: { type: 'text', text: 'sampled' },
    }))
    expect((await call(client, 'echo', { message: 'hi' })).content).toEqual([
      { type: 'text', text: 'Echo: hi' },
    ])
    expect((await client.listResources()).resources.length).toBeGreaterThan(0)
    const handle = (await call(client, 'trigger-long-running-operation', { duration: 3, steps: 6 }))
      .structuredContent
    expect(handle.status).toBe('processing')
    const polled = await call(client, 'get_cached_result', { ref_id: handle.ref_id })
    expect(polled.content[0].text).toContain('completed')
    const sampled = await call(client, 'trigger-sampling-request', { prompt: 'why', maxTokens: 5 })
    expect(JSON.stringify(sampled.content)).toContain('sampled')
  })

  it('that is not there: the client is told, and the wrapper ends with code 3', async () => {
    const raw = workshop.process([
      'wrap',
      '--store',
      'memory',
      '--url',
      `http://127.0.0.1:${await freePort()}/mcp`,
    ])
    raw.send({ id: 1, method: 'initialize', params: {} })
    expect(((await raw.answer(1)) as Answer).error.message).toContain('ECONNREFUSED')
    expect(await raw.exit).toMatchObject({ code: 3 })
  })

  it.each([
    ['a status that HTTP does not know', 'HTTP/1.1 700 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['a reason that HTTP does not allow', 'HTTP/1.1 200 \x01\r\nContent-Length: 0\r\n\r\n'],
    [
      'terminal escapes',
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n\x1b]0;pwn\x07!',
    ],
  ])('that answers with %s does not bring the wrapper down, nor write to the terminal', async (_, answer) => {
    const server = createTcpServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(answer))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    workshop.onEnd(() => server.close())
    const { port } = server.address() as AddressInfo
    const raw = workshop.process(['wrap', '--store', 'memory', '--url', `http://127.0.0.1:${port}/mcp`])
    raw.send({ id: 1, method: 'initialize', params: {} })
    expect(await raw.answer(1)).toHaveProperty('error')
    expect((await raw.exit).code).toBe(3)
    expect(raw.stderr).not.toMatch(/[^\P{Cc}\n]/u)
    expect(raw.stderr).not.toContain('Unexpected:')
  })

  it('that ends the session: a new one is begun, and the client’s goes on', async () => {
    const { url, raw: inner } = await serve(PLAIN)
    const outer = workshop.process(['wrap', '--store', 'memory', '--name', 'outer', '--url', url.href])
    await outer.initialize()
    outer.send({ id: 1, method: 'tools/call', params: { name: 'count', arguments: {} } })
    await outer.answer(1)
    inner.child.kill('SIGTERM')
    await inner.exit
    // The same port, a process that knows nothing of the session.
    const port = url.port
    const again = workshop.process(['wrap', '--http', port, '--store', workshop.store, '--', ...PLAIN])
    await again.ready()
    await until(async () => {
      const id = `try-${Date.now()}`
      outer.send({ id, method: 'tools/call', params: { name: 'count', arguments: {} } })
      const { result } = (await outer.answer(id)) as Answer
      return result?.content?.[0]?.text === 'call 1' || undefined
    }, 'a call that works again')
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

it('with tokens, what a killed wrapper was doing goes on in the next one for the same subject, or says that it was lost', async () => {
  const tokens = `${workshop.folder}/tokens`
  const [alice, bob] = ['a', 'b'].map(letter => letter.repeat(64))
  writeFileSync(tokens, `${alice} alice\n${bob} bob\n`, { mode: 0o600 })
  const wrapper = () => serve(PLAIN, '--tokens', tokens, '--lease', '2s', '--async-timeout', '200ms')
  const as = async (url: URL, token = '') => {
    const client = new Client({ name: 'http', version: '1' })
    workshop.onEnd(() => client.close())
    const headers = { authorization: `Bearer ${token}` }
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    return client
  }
  const before = await wrapper()
  const [client, other] = await Promise.all([alice, bob].map(token => as(before.url, token)))
  await Promise.all([client, other].map(one => one?.listTools()))
  const begun = ['slow-pure', 'slow'].map(name => call(client as Client, name, { ms: 1_000 }))
  begun.push(call(other as Client, 'slow-pure', { ms: 1_000 }))
  const [pure, slow, bobs] = (await Promise.all(begun)).map(answer => answer.structuredContent.ref_id)
  before.raw.child.kill('SIGKILL')
  await before.raw.exit
  const { url } = await wrapper()
  const again = await as(url, alice)
  await again.listTools()
  const poll = (one: Client, ref_id: string) => call(one, 'get_cached_result', { ref_id, wait_seconds: 20 })
  expect((await poll(again, pure)).isError).toBeFalsy()
  expect((await poll(again, slow)).structuredContent).toMatchObject({
    error_code: 'worker_lost',
    can_retry: true,
  })
  // Who comes back later finds his task as well: it waited for him.
  const stranger = await as(url, bob)
  expect((await poll(stranger, pure)).structuredContent).toMatchObject({ error: { code: 'not_found' } })
  expect((await poll(stranger, bobs)).isError).toBeFalsy()
  expect(workshop.journal('tools/call').filter(({ params }) => params?.name === 'slow')).toHaveLength(1)
})
