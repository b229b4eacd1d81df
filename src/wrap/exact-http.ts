import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { failureOf, readMessages } from './read-message.ts'
import { isRequest, isResponse, protocolMeta, RpcErrorCode, type RpcId, type RpcMessage } from './rpc.ts'

/**
 * The SDK's HTTP transport reads and writes JSON by itself, which changes numbers and ends at some depth. So it is given envelopes:
 * messages with what it looks at, and the exact text of the whole as one string.
 */

const TEXT = 'refcache/text'

/** What the transport looks at in the params of a request. */
const LOOKED_AT = ['name', 'uri', 'taskId', 'protocolVersion', 'capabilities', 'clientInfo'] as const

/** A message as the transport is given it. */
export function toEnvelope(message: RpcMessage): JsonObject {
  const text = stringifyJson(message)
  if (isResponse(message)) {
    const about = { jsonrpc: '2.0', id: envelopeId(message.id) }
    if (!('error' in message)) return { ...about, result: { [TEXT]: text } }
    return { ...about, error: { code: RpcErrorCode.internal, message: '', data: { [TEXT]: text } } }
  }
  const { method, params = {} } = message
  const meta = protocolMeta(params)
  const shown = LOOKED_AT.flatMap(name => (params[name] === undefined ? [] : [[name, params[name]]]))
  return {
    jsonrpc: '2.0',
    ...(isRequest(message) ? { id: envelopeId(message.id) } : {}),
    method,
    params: { ...Object.fromEntries(shown), ...(meta ? { _meta: meta } : {}), [TEXT]: text },
  }
}

/** What the transport knows a request by: its numbers would be doubles. */
export function envelopeId(id: RpcId): string {
  return stringifyJson(id)
}

/** The bytes of the message in an envelope. */
export function envelopeSize(envelope: unknown): number {
  return Buffer.byteLength(textIn(envelope as JsonValue) ?? '')
}

/** The message in an envelope; anything else is the message itself. */
export function fromEnvelope(given: unknown): RpcMessage {
  const text = textIn(given as JsonValue)
  return (text === undefined ? given : parseJson(text)) as RpcMessage
}

/** The JSON of a request's body, where the transport wrote that of an envelope. */
export function exactBody(body: unknown): unknown {
  if (typeof body !== 'string' || !body.includes(TEXT)) return body
  return textIn(JSON.parse(body) as JsonValue) ?? body
}

function textIn(envelope: JsonValue): string | undefined {
  if (!isJsonObject(envelope)) return undefined
  const part =
    envelope.params ?? envelope.result ?? (isJsonObject(envelope.error) ? envelope.error.data : undefined)
  const text = isJsonObject(part) ? part[TEXT] : undefined
  return typeof text === 'string' ? text : undefined
}

/** What a server sent, in envelopes; what cannot be read answers its call with the reason. */
function envelopesIn(text: string, onProblem: (problem: string) => void): JsonObject[] {
  return readMessages(text).flatMap(received => {
    if ('message' in received) return [toEnvelope(received.message)]
    const { unreadable } = received
    onProblem(`it sent ${unreadable.problem}.`)
    if (unreadable.id === undefined || unreadable.kind !== 'response') return []
    return [toEnvelope(failureOf(unreadable, unreadable.id, 'The wrapped server'))]
  })
}

/** What the transport is given of a refusal: the one message that it is, or its text. */
function refusalOf({ status, statusText }: Response, text: string, headers: Headers): Response {
  const [first, ...others] = readMessages(text)
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

/** The answer of a server with envelopes in the place of its messages. */
export async function withEnvelopes(
  response: Response,
  onProblem: (problem: string) => void,
): Promise<Response> {
  const { status, statusText, body } = response
  const type = response.headers.get('content-type') ?? ''
  if (!body) return response
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  if (type.startsWith('application/json')) {
    const text = await response.text()
    // What a refusal says may be no message; the transport knows what to make of its status.
    if (!response.ok) return refusalOf(response, text, headers)
    const messages = envelopesIn(text, onProblem)
    if (messages.length === 0) throw new Error('it answered with what is no JSON-RPC message.')
    return new Response(JSON.stringify(messages), { status, statusText, headers })
  }
  if (!response.ok || !type.startsWith('text/event-stream')) return response
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(eventEnvelopes(onProblem))
  return new Response(events.pipeThrough(new TextEncoderStream()), { status, statusText, headers })
}

function eventEnvelopes(onProblem: (problem: string) => void): TransformStream<string, string> {
  const events = eventMapper(data => envelopesIn(data, onProblem).map(message => JSON.stringify(message)))
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(events(chunk))
    },
  })
}

/** The text of server-sent events, chunk by chunk, with envelopes opened. */
export function exactEvents(): (chunk: string) => string {
  return eventMapper(data => [data.includes(TEXT) ? (textIn(JSON.parse(data) as JsonValue) ?? data) : data])
}

/** Server-sent events, line by line: the data of each event is mapped, one event may become several, and all else stays. */
function eventMapper(map: (data: string) => string[]): (chunk: string) => string {
  let parts: string[] = []
  let fields: string[] = []
  let data: string[] = []
  const endEvent = (): string => {
    const [first, ...others] = data.length === 0 ? [] : map(data.join('\n'))
    const event = [...fields, ...(first === undefined ? [] : [dataOf(first)])].join('\n')
    fields = []
    data = []
    return `${event}\n\n${others.map(other => `${dataOf(other)}\n\n`).join('')}`
  }
  return chunk => {
    parts.push(chunk)
    if (!/[\r\n]/.test(chunk)) return ''
    // A CR at the very end may be half of a line's end.
    const lines = parts.join('').split(/\r\n|\n|\r(?!$)/)
    parts = [lines.pop() ?? '']
    let events = ''
    for (const line of lines) {
      if (line === '') events += endEvent()
      else if (line === 'data' || line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''))
      else fields.push(line)
    }
    return events
  }
}

function dataOf(json: string): string {
  return `data: ${json}`
}
