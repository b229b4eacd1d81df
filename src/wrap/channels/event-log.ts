import type { EventStore } from '@modelcontextprotocol/server'
import { failure, isResponse, RpcErrorCode } from '../rpc.ts'
import { envelopeSize, fromEnvelope, toEnvelope } from './exact-http.ts'

type Message = Parameters<EventStore['storeEvent']>[1]

interface StoredEvent {
  readonly number: number
  readonly streamId: string
  readonly message: Message
  readonly bytes: number
}

const MAX_EVENTS = 1_000
const MAX_BYTES = 4 * 1024 * 1024
const MAX_STREAMS = 1_000

/**
 * What went out to one client of late, for a client that lost a stream and comes back for the rest. The oldest events go first; who
 * comes back after that gets what is left.
 */
export class EventLog implements EventStore {
  readonly #events: StoredEvent[] = []
  /** With the requests that each answers; the stream for what belongs to no request has none. */
  readonly #streams = new Map<string, readonly string[] | undefined>()
  #bytes = 0
  #last = 0

  async storeEvent(streamId: string, message: Message): Promise<string> {
    const number = ++this.#last
    if (!this.#streams.has(streamId)) this.#addStream(streamId)
    // The first event of a stream says nothing: it is there so that the client has an id to come back with.
    if ('jsonrpc' in message) this.#store(number, streamId, message)
    return `${streamId}~${number}`
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#streamOf(eventId)
  }

  async replayEventsAfter(
    eventId: string,
    { send }: { send(eventId: string, message: Message): Promise<void> },
  ): Promise<string> {
    const streamId = this.#streamOf(eventId) ?? ''
    const after = Number(eventId.slice(streamId.length + 1))
    const missed = this.#events.filter(event => event.streamId === streamId && event.number > after)
    for (const { number, message } of missed) await send(`${streamId}~${number}`, message)
    return streamId
  }

  /** The stream that an event belongs to, where it is still known. */
  #streamOf(eventId: string): string | undefined {
    const streamId = /^(.+)~\d+$/.exec(eventId)?.[1]
    return streamId !== undefined && this.#streams.has(streamId) ? streamId : undefined
  }

  /** The stream of an event answers these requests. */
  setRequests(eventId: string, requests: readonly string[]): void {
    const streamId = this.#streamOf(eventId)
    if (streamId !== undefined) this.#streams.set(streamId, requests)
  }

  /** The requests that a client comes back for with the id of an event; nothing where it is of no request's stream. */
  requestsOf(eventId: string): readonly string[] | undefined {
    return this.#streams.get(this.#streamOf(eventId) ?? '')
  }

  /** Whether it is the id of an event of this client. */
  knows(eventId: string): boolean {
    return this.#streamOf(eventId) !== undefined
  }

  #addStream(streamId: string): void {
    const [oldest] = this.#streams.keys()
    if (this.#streams.size >= MAX_STREAMS && oldest !== undefined) this.#streams.delete(oldest)
    this.#streams.set(streamId, undefined)
  }

  #store(number: number, streamId: string, sent: Message): void {
    const message = envelopeSize(sent) > MAX_BYTES ? standInFor(sent) : sent
    if (!message) return
    const bytes = envelopeSize(message)
    this.#events.push({ number, streamId, message, bytes })
    this.#bytes += bytes
    while (this.#events.length > MAX_EVENTS || this.#bytes > MAX_BYTES) {
      this.#bytes -= this.#events.shift()?.bytes ?? 0
    }
  }
}

/** Of an answer that is too large to be kept, so that nobody waits for it in vain. */
function standInFor(sent: Message): Message | undefined {
  const answer = fromEnvelope(sent)
  if (!isResponse(answer)) return undefined
  const message = `The answer has more than ${MAX_BYTES} bytes: it is not kept for a client that lost its connection. Ask again.`
  return toEnvelope(failure(answer.id, { code: RpcErrorCode.internal, message })) as Message
}
