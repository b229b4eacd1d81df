import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import type { Channel, SendOptions } from './channel.ts'
import type { Log } from './log.ts'
import { isRequest, RpcErrorCode, type RpcId, type RpcMessage, type RpcRequest } from './rpc.ts'
import type { Session } from './session.ts'
import type { Wrapper } from './wrap.ts'

type Adapter = typeof import('@modelcontextprotocol/node')

export interface ListenOptions {
  port: number
  /** @defaultValue '127.0.0.1' */
  host?: string | undefined
  log: Log
}

const MAX_BODY_BYTES = 64 * 1024 * 1024
/** A client that has been silent for so long, with nothing open, is taken to be gone. */
/** Each has a server process of its own. */
const MAX_SESSIONS = 32
const IDLE_MS = 60 * 60 * 1000

/** Serves the wrapped server over Streamable HTTP. Each session has a server of its own. */
export class HttpListener {
  readonly #sessions = new Map<string, HttpSession>()
  readonly #server: Server
  #adapter: Adapter | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(
    private readonly wrapper: Wrapper,
    private readonly options: ListenOptions,
  ) {
    this.#server = createServer((request, response) => void this.#handle(request, response))
  }

  /** Resolves with the address. @throws when the port is taken, or the HTTP adapter is not installed */
  async start(): Promise<string> {
    this.#adapter = await loadAdapter()
    const { port, host = '127.0.0.1' } = this.options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, resolve)
    })
    this.#idle = setInterval(() => this.#endIdle(), IDLE_MS / 10).unref()
    const address = this.#server.address()
    const bound = typeof address === 'object' && address ? address.port : port
    return `http://${host.includes(':') ? `[${host}]` : host}:${bound}/mcp`
  }

  async close(): Promise<void> {
    clearInterval(this.#idle)
    this.#server.close()
    await Promise.all([...this.#sessions.values()].map(session => session.close()))
    this.#server.closeAllConnections()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const adapter = this.#adapter
      if (!adapter || !this.#allowed(adapter, request, response)) return
      if (request.url?.split('?', 1)[0] !== '/mcp') return refuse(response, 404, 'The endpoint is /mcp.')
      const session = this.#sessionOf(adapter, request)
      if (!session) return refuse(response, 404, 'Session not found: it has ended. Initialize again.')
      await session.handle(request, response)
    } catch (error) {
      if (error instanceof TooManySessions)
        return refuse(response, 503, 'Too many sessions. Try again later.')
      this.options.log.error('http_failed', `An HTTP request failed: ${(error as Error).message}`)
      if (!response.headersSent) refuse(response, 500, 'Something went wrong inside of the wrapper.')
    }
  }

  /** Against web pages that reach for local ports: only local names may be asked for, and only by local pages. */
  #allowed(adapter: Adapter, request: IncomingMessage, response: ServerResponse): boolean {
    const names = ['localhost', '127.0.0.1', '[::1]']
    const { host } = this.options
    if (host !== undefined && !names.includes(host)) names.push(host)
    return (
      adapter.hostHeaderValidation(names)(request, response) &&
      adapter.originValidation(names)(request, response)
    )
  }

  #sessionOf(adapter: Adapter, request: IncomingMessage): HttpSession | undefined {
    const id = request.headers['mcp-session-id']
    if (typeof id === 'string') return this.#sessions.get(id)
    if (this.#sessions.size >= MAX_SESSIONS) throw new TooManySessions()
    // Without a session there is only one thing to do: begin one. The transport refuses whatever else it gets.
    return new HttpSession(adapter, this.wrapper, this.options.log, this.#sessions)
  }

  #endIdle(): void {
    for (const session of this.#sessions.values()) if (session.idleFor() > IDLE_MS) void session.close()
  }
}

class TooManySessions extends Error {}

/** The id is all that a client has to show: what is stored of it must not let anybody in. */
function digest(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex').slice(0, 32)
}

/** One client: its transport, and the session that the transport's first request opens. */
class HttpSession {
  readonly #transport: NodeStreamableHTTPServerTransport
  #session: Session | undefined
  #id: string | undefined
  #open = 0
  #lastSeen = Date.now()
  #closing: Promise<void> | undefined

  constructor(
    adapter: Adapter,
    private readonly wrapper: Wrapper,
    private readonly log: Log,
    private readonly sessions: Map<string, HttpSession>,
  ) {
    this.#transport = new adapter.NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MAX_BODY_BYTES,
      onsessioninitialized: id => this.#begin(id),
    })
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open++
    response.once('close', () => {
      this.#open--
      this.#lastSeen = Date.now()
    })
    await this.#transport.handleRequest(request, response)
  }

  idleFor(): number {
    return this.#open > 0 ? 0 : Date.now() - this.#lastSeen
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#id) this.sessions.delete(this.#id)
    await this.#session?.close()
    await this.#transport.close()
  }

  async #begin(id: string): Promise<void> {
    this.#id = id
    this.sessions.set(id, this)
    const client = new TransportChannel(this.#transport)
    client.onclose = () => void this.close()
    this.#session = this.wrapper.privateSession(client, digest(id), end => {
      if (end.kind === 'unusable') this.log.error('upstream_unusable', end.reason)
      // The client is told first; then its session ends.
      setImmediate(() => void this.close())
    })
    try {
      await this.#session.start()
    } catch (error) {
      const { message } = error as Error
      this.log.error('upstream_unusable', message)
      this.#refuseAll('The wrapped server cannot be started; the log of the wrapper says why.')
    }
  }

  /** The request that wanted to begin the session is told why there is none. */
  #refuseAll(message: string): void {
    this.#transport.onmessage = received => {
      if (!isRequest(received as RpcMessage)) return
      const { id } = received as RpcRequest
      const error = { code: RpcErrorCode.upstreamLost, message }
      void this.#transport.send({ jsonrpc: '2.0', id, error }).finally(() => this.close())
    }
  }
}

/** An SDK transport as a channel. */
class TransportChannel implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  #closed = false

  constructor(private readonly transport: NodeStreamableHTTPServerTransport) {}

  async start(): Promise<void> {
    this.transport.onmessage = message => this.onmessage?.(message as RpcMessage)
    this.transport.onerror = error => this.onerror?.(error.message)
    this.transport.onclose = () => {
      if (!this.#closed) this.onclose?.('The client ended the session.')
    }
    await this.transport.start()
  }

  send(message: RpcMessage, { relatedTo }: SendOptions = {}): Promise<void> {
    const related: { relatedRequestId?: RpcId } =
      relatedTo === undefined ? {} : { relatedRequestId: relatedTo }
    return this.transport.send(message as Parameters<typeof this.transport.send>[0], related)
  }

  async close(): Promise<void> {
    this.#closed = true
  }
}

async function loadAdapter(): Promise<Adapter> {
  try {
    return await import('@modelcontextprotocol/node')
  } catch (cause) {
    throw new Error(
      '--http needs the package @modelcontextprotocol/node: npm install @modelcontextprotocol/node',
      {
        cause,
      },
    )
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }))
}
