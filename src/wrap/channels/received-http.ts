import type { JsonObject, JsonValue } from '../../core/json.ts'
import { RpcErrorCode, type RpcMessage } from '../rpc.ts'
import { bodyIn, fromEnvelope, toEnvelope } from './exact-http.ts'
import { MessageText } from './message-text.ts'
import { failureOf, type Received, readMessages } from './read-message.ts'

/** Stands in an envelope for a message that was read already. */
const HELD = 'refcache/held'

/**
 * What a server sends over HTTP, in envelopes for the SDK's transport. A message is read while it comes. A long one is kept here, and its
 * envelope has its number: its text is not written and read once more.
 */
export class ReceivedMessages {
  readonly #held = new Map<string, RpcMessage>()
  #next = 1

  constructor(private readonly onProblem: (problem: string) => void) {}

  /** The message in an envelope. */
  open(envelope: unknown): RpcMessage {
    const held = String(bodyIn(envelope as JsonValue)?.[HELD])
    const message = this.#held.get(held)
    this.#held.delete(held)
    return message ?? fromEnvelope(envelope)
  }

  /** The answer of a server with envelopes in the place of its messages. */
  async inEnvelopes(response: Response): Promise<Response> {
    const { status, statusText, body } = response
    const type = response.headers.get('content-type') ?? ''
    if (!body) return response
    const headers = new Headers(response.headers)
    headers.delete('content-length')
    if (type.startsWith('application/json')) {
      // What a refusal says may be no message; the transport knows what to make of its status.
      if (!response.ok) return refusalOf(response, await response.text(), headers)
      const messages = this.#envelopes(await messageIn(body))
      if (messages.length === 0) throw new Error('it answered with what is no JSON-RPC message.')
      return new Response(JSON.stringify(messages), { status, statusText, headers })
    }
    if (!response.ok || !type.startsWith('text/event-stream')) return response
    const reader = new EventReader(message => this.#envelopes(message))
    const events = new TransformStream<string, string>({
      transform: (chunk, controller) => controller.enqueue(reader.push(chunk)),
    })
    const sent = body.pipeThrough(new TextDecoderStream()).pipeThrough(events)
    return new Response(sent.pipeThrough(new TextEncoderStream()), { status, statusText, headers })
  }

  /** What cannot be read answers its call with the reason. */
  #envelopes(text: MessageText): JsonObject[] {
    return text.end().flatMap(received => {
      if ('message' in received) return [this.#envelope(received.message, text.isLong)]
      const { unreadable } = received
      this.onProblem(`it sent ${unreadable.problem}.`)
      if (unreadable.id === undefined || unreadable.kind !== 'response') return []
      return [toEnvelope(failureOf(unreadable, unreadable.id, 'The wrapped server'))]
    })
  }

  #envelope(message: RpcMessage, isLong: boolean): JsonObject {
    if (!isLong) return toEnvelope(message)
    const held = String(this.#next++)
    this.#held.set(held, message)
    return toEnvelope(message, { [HELD]: held })
  }
}

async function messageIn(body: ReadableStream<Uint8Array>): Promise<MessageText> {
  const text = new MessageText()
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) text.push(chunk)
  return text
}

/** What the transport is given of a refusal: the one message that it is, or its text. */
function refusalOf({ status, statusText }: Response, text: string, headers: Headers): Response {
  const [first, ...others]: Received[] = readMessages(text)
  const message = first && 'message' in first && others.length === 0 ? first.message : undefined
  if (!message) return new Response(text, { status, statusText, headers })
  const envelope = JSON.stringify(toEnvelope(message))
  // At 2026-07-28 a method that the server does not have is 404: an answer, where sessions end by that status.
  if (status === 404 && isMethodNotFound(message)) return new Response(envelope, { status: 200, headers })
  return new Response(envelope, { status, statusText, headers })
}

function isMethodNotFound(message: RpcMessage): boolean {
  return 'error' in message && Number(message.error.code) === RpcErrorCode.methodNotFound
}

/** Server-sent events, with envelopes in the place of their data. One event may become several, and all else stays. */
class EventReader {
  /** The line, until it shows that it is of the data. */
  #line = ''
  #isData = false
  #data: MessageText | undefined
  #fields: string[] = []
  /** A CR at the end of a chunk may be half of a line's end. */
  #rest = ''

  constructor(private readonly envelopes: (message: MessageText) => JsonObject[]) {}

  push(chunk: string): string {
    const text = this.#rest + chunk
    this.#rest = text.endsWith('\r') ? '\r' : ''
    const [first = '', ...others] = text.slice(0, text.length - this.#rest.length).split(/\r\n|\n|\r/)
    let events = ''
    this.#take(first)
    for (const part of others) {
      events += this.#endLine()
      this.#take(part)
    }
    return events
  }

  #take(part: string): void {
    if (this.#isData) this.#data?.push(part)
    else {
      this.#line += part
      // With the space behind the colon, which is not of the data.
      if (this.#line.startsWith('data:') && this.#line.length > 5) this.#beginData()
    }
  }

  #beginData(): void {
    // Several lines are one text.
    if (this.#data) this.#data.push('\n')
    else this.#data = new MessageText()
    this.#data.push(this.#line.slice(5).replace(/^ /, ''))
    this.#line = ''
    this.#isData = true
  }

  #endLine(): string {
    const line = this.#line
    this.#line = ''
    const wasData = this.#isData
    this.#isData = false
    if (wasData || line === 'data' || line === 'data:') return ''
    if (line === '') return this.#endEvent()
    this.#fields.push(line)
    return ''
  }

  #endEvent(): string {
    const [first, ...others] = this.#data ? this.envelopes(this.#data).map(dataOf) : []
    const event = [...this.#fields, ...(first === undefined ? [] : [first])].join('\n')
    this.#data = undefined
    this.#fields = []
    return `${event}\n\n${others.map(other => `${other}\n\n`).join('')}`
  }
}

function dataOf(envelope: JsonObject): string {
  return `data: ${JSON.stringify(envelope)}`
}
