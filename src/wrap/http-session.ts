import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import type { Clock } from '../core/clock.ts'
import type { Channel, SendOptions } from './channel.ts'
import type { Log } from './log.ts'
import { isRequest, RpcErrorCode, type RpcId, type RpcMessage, type RpcRequest } from './rpc.ts'
import type { Session } from './session.ts'
import type { PlacedSession } from './session-places.ts'
import type { Wrapper } from './wrap.ts'

export type HttpAdapter = typeof import('@modelcontextprotocol/node')

const MAX_BODY_BYTES = 64 * 1024 * 1024

/** The id is all that a client has to show: what is stored of it must not let anybody in. */
function digest(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex').slice(0, 32)
}

export interface HttpSessionOptions {
  readonly adapter: HttpAdapter
  readonly wrapper: Wrapper
  readonly log: Log
  readonly clock: Clock
  /** The session has an id now. */
  onBegin(id: string): void
  /** It takes no more requests. */
  onClosing(id: string): void
  /** It is over, and its server is gone. */
  onGone(): void
}

/** One client: its transport, and the session that the transport's first request opens. */
export class HttpSession implements PlacedSession {
  readonly startedAt: number
  readonly #transport: NodeStreamableHTTPServerTransport
  #session: Session | undefined
  #id: string | undefined
  #open = 0
  #lastSeen: number
  #closing: Promise<void> | undefined

  constructor(private readonly options: HttpSessionOptions) {
    this.startedAt = options.clock.monotonic()
    this.#lastSeen = this.startedAt
    this.#transport = new options.adapter.NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MAX_BODY_BYTES,
      onsessioninitialized: id => this.#begin(id),
    })
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open++
    response.once('close', () => {
      this.#open--
      this.#lastSeen = this.options.clock.monotonic()
      // Whatever it was, it began no session.
      if (!this.#id) void this.close()
    })
    await this.#transport.handleRequest(request, response)
  }

  get inUse(): boolean {
    return this.#open > 0 || this.#closing !== undefined || (this.#session?.hasWork ?? false)
  }

  get lastSeen(): number {
    return this.#lastSeen
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#id) this.options.onClosing(this.#id)
    await this.#session?.close()
    await this.#transport.close()
    this.options.onGone()
  }

  async #begin(id: string): Promise<void> {
    const { wrapper, log } = this.options
    this.#id = id
    this.options.onBegin(id)
    const client = new TransportChannel(this.#transport)
    client.onclose = () => void this.close()
    this.#session = wrapper.privateSession(client, digest(id), end => {
      if (end.kind === 'unusable') log.error('upstream_unusable', end.reason)
      // The client is told first; then its session ends.
      setImmediate(() => void this.close())
    })
    try {
      await this.#session.start()
    } catch (error) {
      const { message } = error as Error
      log.error('upstream_unusable', message)
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
  #undeliverable: Error | undefined

  constructor(private readonly transport: NodeStreamableHTTPServerTransport) {}

  async start(): Promise<void> {
    this.transport.onmessage = message => this.onmessage?.(message as RpcMessage)
    this.transport.onerror = error => {
      if (/undeliverable/.test(error.message)) this.#undeliverable = error
      this.onerror?.(error.message)
    }
    this.transport.onclose = () => {
      if (!this.#closed) this.onclose?.('The client ended the session.')
    }
    await this.transport.start()
  }

  async send(message: RpcMessage, { relatedTo }: SendOptions = {}): Promise<void> {
    const related: { relatedRequestId?: RpcId } =
      relatedTo === undefined ? {} : { relatedRequestId: relatedTo }
    this.#undeliverable = undefined
    const sent = this.transport.send(message as Parameters<typeof this.transport.send>[0], related)
    // The transport only reports, at once, that the client has closed the stream of its request.
    const undeliverable = this.#undeliverable
    await sent
    if (undeliverable) throw undeliverable
  }

  /** What a client sends over HTTP comes in requests of their own: there is nothing to hold. */
  pause(): void {}

  resume(): void {}

  async close(): Promise<void> {
    this.#closed = true
  }
}
