import type { ServerResponse } from 'node:http'
import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import type { Channel, SendOptions } from './channel.ts'
import { type EventStream, openEnvelopes } from './event-stream.ts'
import { envelopeId, fromEnvelope, toEnvelope } from './exact-http.ts'
import { isResponse, type RpcId, type RpcMessage } from './rpc.ts'

/** A client over HTTP, by the SDK's transport. */
export class TransportChannel implements Channel {
  readonly mayLose = true
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  /** By the request that they answer; that for what belongs to no request by nothing. */
  readonly #streams = new Map<string | undefined, EventStream>()
  #closed = false
  #undeliverable: Error | undefined

  constructor(private readonly transport: NodeStreamableHTTPServerTransport) {}

  async start(): Promise<void> {
    this.transport.onmessage = message => this.onmessage?.(fromEnvelope(message))
    this.transport.onerror = error => {
      if (/undeliverable/.test(error.message)) this.#undeliverable = error
      this.onerror?.(error.message)
    }
    this.transport.onclose = () => {
      if (!this.#closed) this.onclose?.('The client ended the session.')
    }
    await this.transport.start()
  }

  /** Call it before the transport handles the request: what it writes then are messages for this client. */
  openResponse(response: ServerResponse, requests: readonly RpcId[] = []): void {
    const keys = requests.length === 0 ? [undefined] : requests.map(envelopeId)
    openEnvelopes(response, stream => {
      for (const key of keys) this.#streams.set(key, stream)
      response.once('close', () => {
        for (const key of keys) if (this.#streams.get(key) === stream) this.#streams.delete(key)
      })
    })
  }

  async send(message: RpcMessage, { relatedTo }: SendOptions = {}): Promise<void> {
    const related = relatedTo === undefined ? {} : { relatedRequestId: envelopeId(relatedTo) }
    const envelope = toEnvelope(message) as Parameters<typeof this.transport.send>[0]
    const request = isResponse(message) ? message.id : relatedTo
    const stream = this.#streams.get(request === undefined ? undefined : envelopeId(request))
    this.#undeliverable = undefined
    const sent = this.transport.send(envelope, related)
    // The transport only reports, at once, that the client has closed the stream of its request.
    const undeliverable = this.#undeliverable
    await sent
    if (undeliverable) throw undeliverable
    await stream?.room()
  }

  /** What a client sends over HTTP comes in requests of their own: there is nothing to hold. */
  pause(): void {}

  resume(): void {}

  async close(): Promise<void> {
    this.#closed = true
  }
}
