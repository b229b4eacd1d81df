import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { failureOf, readMessages } from './read-message.ts'
import { isRequest, isResponse, protocolMeta, type RpcMessage } from './rpc.ts'

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
  if (isResponse(message)) return { jsonrpc: '2.0', id: String(message.id), result: { [TEXT]: text } }
  const { method, params = {} } = message
  const meta = protocolMeta(params)
  const shown = LOOKED_AT.flatMap(name => (params[name] === undefined ? [] : [[name, params[name]]]))
  return {
    jsonrpc: '2.0',
    ...(isRequest(message) ? { id: String(message.id) } : {}),
    method,
    params: { ...Object.fromEntries(shown), ...(meta ? { _meta: meta } : {}), [TEXT]: text },
  }
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
  const part = envelope.params ?? envelope.result
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

/** The answer of a server with envelopes in the place of its messages. */
export async function withEnvelopes(
  response: Response,
  onProblem: (problem: string) => void,
): Promise<Response> {
  const { status, statusText, body } = response
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok || !body) return response
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  if (type.startsWith('application/json')) {
    const messages = envelopesIn(await response.text(), onProblem)
    return new Response(JSON.stringify(messages), { status, statusText, headers })
  }
  if (!type.startsWith('text/event-stream')) return response
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(eventEnvelopes(onProblem))
  return new Response(events.pipeThrough(new TextEncoderStream()), { status, statusText, headers })
}

/** Server-sent events, line by line: the data of each event becomes that of envelopes, and all else stays. */
function eventEnvelopes(onProblem: (problem: string) => void): TransformStream<string, string> {
  let parts: string[] = []
  let fields: string[] = []
  let data: string[] = []
  const endEvent = (): string => {
    const messages = data.length === 0 ? [] : envelopesIn(data.join('\n'), onProblem)
    const event = [...fields, ...messages.slice(0, 1).map(dataOf)].join('\n')
    const others = messages.slice(1).map(message => `${dataOf(message)}\n\n`)
    fields = []
    data = []
    return `${event}\n\n${others.join('')}`
  }
  return new TransformStream({
    transform(chunk, controller) {
      parts.push(chunk)
      if (!/[\r\n]/.test(chunk)) return
      const text = parts.join('')
      // A CR at the very end may be half of a line's end.
      const lines = text.split(/\r\n|\n|\r(?!$)/)
      parts = [lines.pop() ?? '']
      for (const line of lines) {
        if (line === '') controller.enqueue(endEvent())
        else if (line === 'data' || line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''))
        else fields.push(line)
      }
    },
  })
}

function dataOf(message: JsonObject): string {
  return `data: ${JSON.stringify(message)}`
}
