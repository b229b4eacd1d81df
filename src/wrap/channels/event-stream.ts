import type { ServerResponse } from 'node:http'
import { Signal } from '../../core/signal.ts'
import { exactEvents } from './exact-http.ts'

/** In so many characters an event has said its id. */
const MAX_HEAD = 200

/** A response that carries messages to a client, as server-sent events. */
export class EventStream {
  readonly #changed = new Signal()

  constructor(private readonly response: ServerResponse) {
    for (const event of ['drain', 'finish', 'close'] as const) {
      response.on(event, () => this.#changed.notify())
    }
  }

  /** Resolves when there is room for more. @throws when the client went away before it took what it was sent */
  async room(): Promise<void> {
    while (this.#isFull) await this.#changed.next()
    if (this.#isLost) throw new Error('The client went away before it read this.')
  }

  get #isFull(): boolean {
    return !this.response.destroyed && this.response.writableLength >= this.response.writableHighWaterMark
  }

  get #isLost(): boolean {
    return this.response.destroyed && !this.response.writableFinished
  }
}

export interface StreamEvents {
  /** The response turns out to be a stream of events. */
  readonly onOpen: (stream: EventStream) => void
  /** The stream has its first event that a client can come back with. */
  readonly onEventId?: ((eventId: string) => void) | undefined
}

/** What the SDK's transport writes to this response goes out as the messages that its envelopes stand for. */
export function openEnvelopes(response: ServerResponse, { onOpen, onEventId }: StreamEvents): void {
  const events = exactEvents()
  const decoder = new TextDecoder()
  const writeHead = response.writeHead.bind(response) as (status: number, headers?: object) => ServerResponse
  const write = response.write.bind(response) as (chunk: string | Uint8Array) => boolean
  let isStream = false
  let hasId = onEventId === undefined
  response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
    isStream = String(headers['content-type']).startsWith('text/event-stream')
    if (!isStream) return writeHead(status, headers)
    onOpen(new EventStream(response))
    // Of an answer that was there at once the length is known: that of the envelopes.
    const { 'content-length': _, ...withoutLength } = headers
    return writeHead(status, withoutLength)
  }) as typeof response.writeHead
  response.write = (chunk: string | Uint8Array) => {
    if (!isStream) return write(chunk)
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const eventId = hasId ? undefined : /^id: (\S+)$/m.exec(text.slice(0, MAX_HEAD))?.[1]
    hasId ||= eventId !== undefined
    if (eventId !== undefined) onEventId?.(eventId)
    write(events(text))
    // The transport keeps no message back: what waits for the client stands in the response alone, where it is counted.
    return true
  }
}
