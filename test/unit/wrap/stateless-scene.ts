import { PassThrough } from 'node:stream'
import { onTestFinished, vi } from 'vitest'
import { parseJson } from '../../../src/core/json-text.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { StdioChannel } from '../../../src/wrap/channels/stdio-channel.ts'
import { HttpListener, type ListenOptions } from '../../../src/wrap/http/listener.ts'
import type { Log } from '../../../src/wrap/log.ts'
import { type WrapOptions, Wrapper } from '../../../src/wrap/wrap.ts'

/** A message as the played server sees it. */
// biome-ignore lint/suspicious/noExplicitAny: messages are looked into freely
export type Message = Record<string, any>

/** A server that the test plays: gets each message, its text too, and says messages. */
export type Play = (message: Message, say: (message: object | string) => void, line: string) => void

export interface SceneOptions {
  wrap?: Partial<WrapOptions>
  listen?: Partial<ListenOptions>
}

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** `wrap --http` within the process, in front of servers that the test plays. */
export async function openWrapper(play: Play, { wrap = {}, listen = {} }: SceneOptions = {}) {
  const wrapper = new Wrapper({
    target: { command: { command: 'played', args: [] } },
    name: 'wired',
    store: memoryStore(),
    settings: { defaults: {}, tools: {} },
    log: silent,
    ...wrap,
  })
  /** What each server heard. */
  const servers: Message[][] = []
  wrapper.connect = async () => {
    const heard: Message[] = []
    servers.push(heard)
    return playedBy((message, say, line) => {
      heard.push(message)
      play(message, say, line)
    })
  }
  const listener = new HttpListener(wrapper, { port: 0, log: silent, ...listen })
  const url = await listener.start()
  onTestFinished(async () => {
    await listener.close()
    await wrapper.close()
  })
  return { url, servers, wrapper }
}

function playedBy(play: Play): StdioChannel {
  const [toServer, fromServer] = [new PassThrough(), new PassThrough()]
  let rest = ''
  toServer.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    const say = (said: object | string) =>
      fromServer.write(`${typeof said === 'string' ? said : JSON.stringify(said)}\n`)
    for (const line of lines) play(JSON.parse(line) as Message, say, line)
  })
  return new StdioChannel(fromServer, toServer)
}

/** A server of 2026-07-28 with these tools; `call` answers calls, where it gives something. */
export function serverOf2026(
  call: (...heard: Parameters<Play>) => object | undefined,
  tools: readonly object[] = [],
): Play {
  return (message, say, line) => {
    const { id, method } = message
    if (id === undefined) return
    const answer = (result: object) =>
      say({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } })
    if (method === 'server/discover') {
      answer({
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
        ttlMs: 0,
        cacheScope: 'private',
      })
    } else if (method === 'tools/list') answer({ tools, ttlMs: 0, cacheScope: 'private' })
    else {
      const result = call(message, say, line)
      if (result !== undefined) answer(result)
    }
  }
}

/** A server of 2025-11-25; `call` answers calls, where it gives something. */
export function serverOf2025(
  call: (...heard: Parameters<Play>) => object | undefined,
  tools: readonly object[] = [],
  capabilities: object = { tools: { listChanged: true } },
): Play {
  return (message, say, line) => {
    const { id, method } = message
    if (id === undefined || method === undefined) return void call(message, say, line)
    const answer = (result: object) => say({ jsonrpc: '2.0', id, result })
    if (method === 'initialize') {
      const serverInfo = { name: 'old', version: '1' }
      answer({ protocolVersion: '2025-11-25', capabilities, serverInfo, instructions: 'Old words.' })
    } else if (method === 'tools/list') answer({ tools })
    else if (method === 'server/discover') {
      say({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
    } else {
      const result = call(message, say, line)
      if (result !== undefined) answer(result)
    }
  }
}

export interface Asked {
  readonly id?: number | string
  readonly capabilities?: object
  readonly progressToken?: number | string
  readonly logLevel?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

/** Sends one request of 2026-07-28. */
export function post(
  url: string,
  method: string,
  params: Message = {},
  asked: Asked = {},
): Promise<Response> {
  const { id = 1, capabilities = {}, progressToken, logLevel, headers = {}, signal } = asked
  const _meta = {
    ...metaOf(capabilities),
    ...(progressToken === undefined ? {} : { progressToken }),
    ...(logLevel === undefined ? {} : { 'io.modelcontextprotocol/logLevel': logLevel }),
  }
  const name = params.name ?? params.uri ?? params.taskId
  return fetch(url, {
    method: 'POST',
    headers: {
      ...HEADERS,
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } }),
    ...(signal ? { signal } : {}),
  })
}

/** The same to the letter: params and id as JSON. Gives the text of the response. */
export async function postText(
  url: string,
  method: string,
  params: string,
  id: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const named = { 'mcp-method': method, 'mcp-name': /"name":"([^"]*)"/.exec(params)?.[1] ?? '' }
  const body = `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{${params},"_meta":${JSON.stringify(metaOf({}))}}}`
  const response = await fetch(url, { method: 'POST', headers: { ...HEADERS, ...named, ...headers }, body })
  return response.text()
}

const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
}

function metaOf(capabilities: object) {
  return {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  }
}

/** The messages of a response, the answer last. */
export async function messagesOf(response: Response): Promise<Message[]> {
  const text = await response.text()
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return [JSON.parse(text)]
  return text.split('\n').flatMap(line => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []))
}

/** The answer to one request. */
export async function ask(url: string, method: string, params?: Message, asked?: Asked): Promise<Message> {
  return (await messagesOf(await post(url, method, params, asked))).at(-1) as Message
}

export function call(url: string, name: string, args: Message = {}, asked?: Asked): Promise<Message> {
  return ask(url, 'tools/call', { name, arguments: args }, asked)
}

export const EXTENSION = { extensions: { 'io.modelcontextprotocol/tasks': {} } }

/** The structured content of an answer about a reference. */
export function bodyOf(answer: Message): Message {
  return answer.result.structuredContent ?? parseJson(answer.result.content[0].text)
}

/** Tries until it succeeds: what comes over sockets comes when the machine has time for it. */
export function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(attempt, { timeout: 20_000, interval: 20 })
}
