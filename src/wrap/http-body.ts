import type { IncomingMessage, ServerResponse } from 'node:http'
import { stringifyJson } from '../core/json-text.ts'
import type { Received } from './read-message.ts'
import { RpcErrorCode } from './rpc.ts'

export const MAX_BODY_BYTES = 64 * 1024 * 1024
/** Of a request that belongs to no session. One that begins a session is short. */
export const MAX_FIRST_BYTES = 1024 * 1024

/** Nothing where it is too large. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export function refuseStale(response: ServerResponse): void {
  const message = 'Session not found: it has ended. Initialize again.'
  answerWith(response, 404, { jsonrpc: '2.0', id: null, error: { code: -32_000, message } })
}

export function refuseTooLarge(response: ServerResponse, maxBytes: number): void {
  const message = `The request has more than ${maxBytes} bytes.`
  answerWith(response, 413, {
    jsonrpc: '2.0',
    id: null,
    error: { code: RpcErrorCode.invalidRequest, message },
  })
}

export function refuseUnreadable(response: ServerResponse, received: readonly Received[]): void {
  const broken = received.flatMap(one => ('unreadable' in one ? [one.unreadable] : []))[0]
  const message = `This request is ${broken?.problem ?? 'empty'}.`
  const error = { code: RpcErrorCode.parseError, message }
  answerWith(response, 400, { jsonrpc: '2.0', id: broken?.id ?? null, error })
}

function answerWith(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(stringifyJson(body))
}
