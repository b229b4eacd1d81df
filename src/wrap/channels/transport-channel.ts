import type { ServerResponse } from 'node:http'
import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { stringifyJson } from '../../core/json-text.ts'
import { isRequest, isResponse, type RpcId, type RpcMessage, type RpcRequest } from '../rpc.ts'
import type { Channel, SendOptions } from './channel.ts'
import type { EventLog } from './event-log.ts'
import { type EventStream, openEnvelopes } from './event-stream.ts'
import { envelopeId, fromEnvelope, toEnvelope } from './exact-http.ts'

/** A request of the client that has no answer yet. */
interface OpenRequest {
  readonly key: string
  /** A server has something to say while it works on such a request. */
  readonly isWork: boolean
  /** Where its answer will go, as far as that is open. */
  stream: EventStream | undefined
  /** The client has closed that. It may come back for the rest. */
  isLeft: boolean
}

const WORK = new Set(['tools/call', 'tasks/result'])

/** What the server said while the client had nothing open. */
const MAX_HELD = { count: 100, characters: 1024 * 1024 }

/** A client over HTTP, by the SDK's transport. */
export class TransportChannel implements Channel {
  readonly mayLose = true
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  /** By the id of the envelope. The transport has not said yet that it takes those that are opening. */
  readonly #opening = new Map<string, OpenRequest>()
  readonly #requests = new Map<string, OpenRequest>()
  /** The stream for what belongs to no request. */
  #standalone: EventStream | undefined
  #held: Array<{ readonly message: RpcMessage; readonly characters: number }> = []
  #closed = false

  constructor(
    private readonly transport: NodeStreamableHTTPServerTransport,
    private readonly events: EventLog,
  ) {}

  async start(): Promise<void> {
    this.transport.onmessage = envelope => this.#receive(fromEnvelope(envelope))
    this.transport.onerror = error => this.onerror?.(error.message)
    this.transport.onclose = () => {
      if (!this.#closed) this.onclose?.('The client ended the session.')
    }
    await this.transport.start()
  }

  /** Call it before the transport handles the requests: what it writes then are messages for this client. */
  openRequests(response: ServerResponse, requests: readonly RpcRequest[]): void {
    const opened = requests.map(({ id, method }) => ({
      key: envelopeId(id),
      isWork: WORK.has(method),
      stream: undefined,
      isLeft: false,
    }))
    for (const request of opened) this.#opening.set(request.key, request)
    response.once('close', () => {
      for (const request of opened)
        if (this.#opening.get(request.key) === request) this.#opening.delete(request.key)
    })
    const keys = opened.map(({ key }) => key)
    this.#open(response, opened, eventId => this.events.setRequests(eventId, keys))
  }

  /** The same for a client that listens. @param lastEventId of the stream that it lost, and comes back for */
  openStream(response: ServerResponse, lastEventId: string | undefined): void {
    const keys = lastEventId === undefined ? undefined : this.events.requestsOf(lastEventId)
    // Its old connection may look alive for long, and a stream has one alone.
    if (keys) for (const key of keys) this.transport.closeSSEStream(key)
    else if (lastEventId !== undefined && this.events.knows(lastEventId))
      this.transport.closeStandaloneSSEStream()
    const requests = keys?.flatMap(key => this.#requests.get(key) ?? [])
    if (requests) this.#open(response, requests)
    else this.#openStandalone(response)
  }

  async send(message: RpcMessage, { relatedTo }: SendOptions = {}): Promise<void> {
    const id = isResponse(message) ? message.id : relatedTo
    const key = id === undefined ? this.#requestFor(message) : envelopeId(id)
    if (key === undefined && !this.#standalone) return this.#hold(message)
    const request = key === undefined ? undefined : this.#requests.get(key)
    const stream = key === undefined ? this.#standalone : request?.stream
    if (key !== undefined && isResponse(message)) this.#requests.delete(key)
    await this.#transmit(message, key)
    // The answer is kept in case the client comes back, but nobody knows whether it will.
    if (isResponse(message) && request?.isLeft) throw new Error('The client went away before it read this.')
    await stream?.room()
  }

  /** What a client sends over HTTP comes in requests of their own: there is nothing to hold. */
  pause(): void {}

  resume(): void {}

  async close(): Promise<void> {
    this.#closed = true
  }

  #receive(message: RpcMessage): void {
    if (isRequest(message)) {
      const key = envelopeId(message.id)
      const request = this.#opening.get(key)
      this.#opening.delete(key)
      if (request) this.#requests.set(key, request)
      this.#sendHeld(key)
    } else if ('method' in message && message.method === 'notifications/cancelled') {
      const id = message.params?.requestId as RpcId | undefined
      if (id !== undefined) this.#requests.delete(envelopeId(id))
    }
    this.onmessage?.(message)
  }

  #openStandalone(response: ServerResponse): void {
    let own: EventStream | undefined
    openEnvelopes(response, {
      onOpen: stream => {
        own = this.#standalone = stream
        this.#sendHeld(undefined)
      },
    })
    response.once('close', () => {
      if (this.#standalone === own) this.#standalone = undefined
    })
  }

  #open(
    response: ServerResponse,
    requests: readonly OpenRequest[],
    onEventId?: (eventId: string) => void,
  ): void {
    let own: EventStream | undefined
    openEnvelopes(response, {
      onOpen: stream => {
        own = stream
        for (const request of requests) Object.assign(request, { stream, isLeft: false })
        const waiting = requests.find(({ key }) => this.#requests.has(key))
        if (waiting) this.#sendHeld(waiting.key)
      },
      onEventId,
    })
    response.once('close', () => {
      for (const request of requests) {
        if (request.stream === own) Object.assign(request, { stream: undefined, isLeft: true })
      }
    })
  }

  /**
   * The request on whose stream a message goes out that names none: servers do not say which call a question or a log belongs to.
   * It is the one call that the server works on; else the client's own stream is as good, if there is one.
   */
  #requestFor(message: RpcMessage): string | undefined {
    const all = [...this.#requests.values()]
    const works = all.filter(({ isWork }) => isWork)
    const candidates = works.length > 0 ? works : all
    const latest = candidates.filter(({ stream, isLeft }) => stream || !isLeft).at(-1)
    const isOnly = works.length === 1 && belongsToWork(message)
    return this.#standalone && !isOnly ? undefined : latest?.key
  }

  #transmit(message: RpcMessage, key: string | undefined): Promise<void> {
    const envelope = toEnvelope(message) as Parameters<typeof this.transport.send>[0]
    return this.transport.send(envelope, key === undefined ? {} : { relatedRequestId: key })
  }

  #hold(message: RpcMessage): void {
    this.#held.push({ message, characters: stringifyJson(message).length })
    const tooMany = () =>
      this.#held.length > MAX_HELD.count ||
      this.#held.reduce((sum, { characters }) => sum + characters, 0) > MAX_HELD.characters
    while (tooMany()) this.#held.shift()
  }

  /** @param key of the request on whose stream it goes out; else on that of no request */
  #sendHeld(key: string | undefined): void {
    const held = this.#held
    this.#held = []
    for (const { message } of held)
      this.#transmit(message, key).catch(error => this.onerror?.((error as Error).message))
  }
}

function belongsToWork(message: RpcMessage): boolean {
  if (isRequest(message)) return true
  return 'method' in message && /^notifications\/(?:message|progress|cancelled)$/.test(message.method)
}
