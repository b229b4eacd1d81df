import { onTestFinished } from 'vitest'
import { HttpListener, type ListenOptions } from '../../../src/wrap/http/listener.ts'
import type { Log } from '../../../src/wrap/log.ts'
import type { Wrapper } from '../../../src/wrap/wrap.ts'
import { type Serve, Wired, type WiredOptions } from './wired.ts'

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export interface HttpSceneOptions extends WiredOptions {
  listen?: Partial<ListenOptions>
}

/** `wrap --http` within the process, in front of servers that the test plays: one for each session. */
export async function openHttp(serve: Serve, { listen = {}, ...options }: HttpSceneOptions = {}) {
  const sessions: Wired[] = []
  const privateSession: Wrapper['privateSession'] = channel => {
    const wired = new Wired(serve, { ...options, client: channel })
    sessions.push(wired)
    return wired.session
  }
  const listener = new HttpListener({ privateSession } as Wrapper, { port: 0, log: silent, ...listen })
  const url = await listener.start()
  onTestFinished(async () => {
    await listener.close()
    for (const { cache } of sessions) await cache.close()
  })
  return { url, sessions }
}

export const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

export function initialize(protocolVersion = '2025-11-25', capabilities: object = {}): string {
  const params = { protocolVersion, capabilities, clientInfo: { name: 'c', version: '1' } }
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
}

/** One server-sent event. */
export interface ServerEvent {
  readonly id: string | undefined
  /** Absent in the event that opens a stream. */
  readonly message: { [key: string]: unknown; id?: unknown; method?: string } | undefined
}

/** A client over HTTP that reads streams event by event, and leaves them where the test wants. */
export class StreamClient {
  #session: Record<string, string> = {}

  constructor(
    private readonly url: string,
    private readonly protocolVersion = '2025-11-25',
  ) {}

  static async open(url: string, protocolVersion?: string, capabilities?: object): Promise<StreamClient> {
    const client = new StreamClient(url, protocolVersion)
    const opened = await client.#fetch('POST', initialize(client.protocolVersion, capabilities))
    client.#session = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': client.protocolVersion,
    }
    await opened.text()
    await client.say('notifications/initialized')
    return client
  }

  /** A request, and the stream of its answer. */
  async ask(id: number | string, method: string, params: object = {}): Promise<EventReader> {
    return new EventReader(await this.#fetch('POST', JSON.stringify({ jsonrpc: '2.0', id, method, params })))
  }

  call(id: number | string, name: string, params: object = {}): Promise<EventReader> {
    return this.ask(id, 'tools/call', { name, arguments: {}, ...params })
  }

  async say(method: string, params: object = {}): Promise<void> {
    await (await this.#fetch('POST', JSON.stringify({ jsonrpc: '2.0', method, params }))).text()
  }

  async answer(id: unknown, result: object): Promise<void> {
    await (await this.#fetch('POST', JSON.stringify({ jsonrpc: '2.0', id, result }))).text()
  }

  /** The stream for what belongs to no request, or the rest of one that was lost. */
  async listen(lastEventId?: string): Promise<EventReader> {
    const resume: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    return new EventReader(await this.#fetch('GET', undefined, resume))
  }

  #fetch(method: string, body?: string, headers: Record<string, string> = {}): Promise<Response> {
    const all = { ...HEADERS, ...this.#session, ...headers }
    return fetch(this.url, { method, headers: all, ...(body === undefined ? {} : { body }) })
  }
}

export class EventReader {
  readonly status: number
  readonly seen: ServerEvent[] = []
  readonly #reader: ReadableStreamDefaultReader<string> | undefined
  #text = ''

  constructor(response: Response) {
    this.status = response.status
    this.#reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  }

  get lastId(): string | undefined {
    return this.seen.findLast(({ id }) => id !== undefined)?.id
  }

  /** The next event; nothing where the stream has ended. */
  async next(): Promise<ServerEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const event = toEvent(this.#text.slice(0, end))
        this.#text = this.#text.slice(end + 2)
        this.seen.push(event)
        return event
      }
      const { done, value } = (await this.#reader?.read()) ?? { done: true, value: undefined }
      if (done) return undefined
      this.#text += value
    }
  }

  /** The message of the first event from here on whose JSON contains the text. */
  async until(text: string): Promise<NonNullable<ServerEvent['message']>> {
    for (let event = await this.next(); event; event = await this.next()) {
      if (event.message && JSON.stringify(event.message).includes(text)) return event.message
    }
    throw new Error(`The stream ended without ${text}.`)
  }

  /** All messages up to the end of the stream. */
  async rest(): Promise<Array<NonNullable<ServerEvent['message']>>> {
    const messages = []
    for (let event = await this.next(); event; event = await this.next()) {
      if (event.message) messages.push(event.message)
    }
    return messages
  }

  leave(): Promise<void> {
    return this.#reader?.cancel() ?? Promise.resolve()
  }
}

function toEvent(text: string): ServerEvent {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]
  const data = field('data')
  return { id: field('id'), message: data ? JSON.parse(data) : undefined }
}
