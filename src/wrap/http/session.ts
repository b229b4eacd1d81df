import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import type { Clock } from '../../core/clock.ts'
import { EventLog } from '../channels/event-log.ts'
import { fromEnvelope, toEnvelope } from '../channels/exact-http.ts'
import { readMessages } from '../channels/read-message.ts'
import { TransportChannel } from '../channels/transport-channel.ts'
import type { Log } from '../log.ts'
import { failure, isRequest, RpcErrorCode, type RpcMessage } from '../rpc.ts'
import type { Session } from '../session.ts'
import type { Wrapper } from '../wrap.ts'
import {
  type BodyReader,
  MAX_BODY_BYTES,
  MAX_FIRST_BYTES,
  refuseStale,
  refuseTooLarge,
  refuseUnreadable,
} from './body.ts'
import type { PlacedSession } from './places.ts'

export type HttpAdapter = typeof import('@modelcontextprotocol/node')

/** The id is all that a client has to show: what is stored of it must not let anybody in. */
function digest(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex').slice(0, 32)
}

export interface HttpSessionOptions {
  readonly adapter: HttpAdapter
  readonly wrapper: Wrapper
  readonly log: Log
  readonly clock: Clock
  readonly bodies: BodyReader
  /** Whose it is: the subject of the token that it was begun with. */
  readonly owner?: string | undefined
  /** A client asks to begin it. Rejects where there is no place for it. */
  takePlace(): Promise<void>
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
  readonly #client: TransportChannel
  #session: Session | undefined
  #id: string | undefined
  #open = 0
  #lastSeen: number
  #closing: Promise<void> | undefined

  constructor(private readonly options: HttpSessionOptions) {
    this.startedAt = options.clock.monotonic()
    this.#lastSeen = this.startedAt
    const events = new EventLog()
    this.#transport = new options.adapter.NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MAX_BODY_BYTES,
      eventStore: events,
      onsessioninitialized: id => this.#begin(id),
    })
    this.#client = new TransportChannel(this.#transport, events)
  }

  /** @param body where it was read already */
  async handle(request: IncomingMessage, response: ServerResponse, body?: string): Promise<void> {
    // The client went away while its request waited for its turn: the end of that was told already.
    if (response.destroyed) return
    this.#open++
    response.once('close', () => {
      this.#open--
      this.#lastSeen = this.options.clock.monotonic()
      // Whatever it was, it began no session.
      if (!this.#id) void this.close()
    })
    // The client names a session that has ended, or never was.
    const isStale = !this.#id && request.headers['mcp-session-id'] !== undefined
    if (request.method !== 'POST') {
      if (isStale) return refuseStale(response)
      this.#client.openStream(response, request.headers['last-event-id'] as string | undefined)
      return this.#transport.handleRequest(request, response)
    }
    const maxBytes = this.#id ? MAX_BODY_BYTES : MAX_FIRST_BYTES
    const text = body ?? (await this.options.bodies.read(request, maxBytes, this.options.owner))
    if (text === undefined) return isStale ? refuseStale(response) : refuseTooLarge(response, maxBytes)
    const received = readMessages(text)
    const messages = received.flatMap(one => ('message' in one ? [one.message] : []))
    const begins = !this.#id && messages.some(isInitialize)
    if (isStale && !begins) return refuseStale(response)
    const [first] = received
    if (first === undefined || messages.length < received.length) return refuseUnreadable(response, received)
    if (begins && !(await this.#hasPlace())) return
    this.#client.openRequests(response, messages.filter(isRequest))
    const envelopes = messages.map(message => toEnvelope(message))
    await this.#transport.handleRequest(request, response, envelopes.length === 1 ? envelopes[0] : envelopes)
  }

  /** Only what begins a session takes a place, and may end another one for it. False where the client left meanwhile. */
  async #hasPlace(): Promise<boolean> {
    await this.options.takePlace()
    // It was closed before it had a place to leave.
    if (this.#closing) this.options.onGone()
    return this.#closing === undefined
  }

  get owner(): string | undefined {
    return this.options.owner
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
    // Its client left at the last moment: a server that begins now would have nobody who ends it.
    if (this.#closing) return
    const { wrapper, log, owner } = this.options
    this.#id = id
    this.options.onBegin(id)
    this.#client.onclose = () => void this.close()
    this.#session = wrapper.privateSession(this.#client, { sessionId: digest(id), owner }, end => {
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
      const request = fromEnvelope(received)
      if (!isRequest(request)) return
      const refusal = failure(request.id, { code: RpcErrorCode.upstreamLost, message })
      void this.#transport.send(toEnvelope(refusal) as never).finally(() => this.close())
    }
  }
}

function isInitialize(message: RpcMessage): boolean {
  return isRequest(message) && message.method === 'initialize'
}
