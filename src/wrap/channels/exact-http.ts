import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { isRequest, isResponse, protocolMeta, RpcErrorCode, type RpcId, type RpcMessage } from '../rpc.ts'

/**
 * The SDK's HTTP transport reads and writes JSON by itself, which changes numbers and ends at some depth. So it is given envelopes:
 * messages with what it looks at, and the exact text of the whole as one string.
 */

const TEXT = 'refcache/text'

/** What the transport looks at in the params of a request. */
const LOOKED_AT = ['name', 'uri', 'taskId', 'protocolVersion', 'capabilities', 'clientInfo'] as const

/** A message as the transport is given it. @param body what stands for the message */
export function toEnvelope(message: RpcMessage, body: JsonObject = textOf(message)): JsonObject {
  if (isResponse(message)) {
    const about = { jsonrpc: '2.0', id: envelopeId(message.id) }
    if (!('error' in message)) return { ...about, result: body }
    return { ...about, error: { code: RpcErrorCode.internal, message: '', data: body } }
  }
  const { method, params = {} } = message
  const meta = protocolMeta(params)
  const shown = LOOKED_AT.flatMap(name => (params[name] === undefined ? [] : [[name, params[name]]]))
  return {
    jsonrpc: '2.0',
    ...(isRequest(message) ? { id: envelopeId(message.id) } : {}),
    method,
    params: { ...Object.fromEntries(shown), ...(meta ? { _meta: meta } : {}), ...body },
  }
}

function textOf(message: RpcMessage): JsonObject {
  return { [TEXT]: stringifyJson(message) }
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
  const text = bodyIn(envelope)?.[TEXT]
  return typeof text === 'string' ? text : undefined
}

/** What stands for the message in an envelope. */
export function bodyIn(envelope: JsonValue): JsonObject | undefined {
  if (!isJsonObject(envelope)) return undefined
  const body =
    envelope.params ?? envelope.result ?? (isJsonObject(envelope.error) ? envelope.error.data : undefined)
  return isJsonObject(body) ? body : undefined
}

/** The text of server-sent events, chunk by chunk, with envelopes opened: line by line, and all but data stays. */
export function exactEvents(): (chunk: string) => string {
  let parts: string[] = []
  return chunk => {
    parts.push(chunk)
    if (!chunk.includes('\n')) return ''
    const lines = parts.join('').split('\n')
    parts = [lines.pop() ?? '']
    return lines.map(line => `${exactLine(line)}\n`).join('')
  }
}

function exactLine(line: string): string {
  if (!line.startsWith('data:') || !line.includes(TEXT)) return line
  const data = line.slice(5)
  return `data: ${textIn(JSON.parse(data) as JsonValue) ?? data.trim()}`
}
