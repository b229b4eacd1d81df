import type { IncomingMessage, ServerResponse } from 'node:http'
import { stringifyJson } from '../../core/json-text.ts'
import type { Received } from '../channels/read-message.ts'
import { RpcErrorCode } from '../rpc.ts'

export const MAX_BODY_BYTES = 64 * 1024 * 1024
/** Of a request that belongs to no session. One that begins a session is short. */
export const MAX_FIRST_BYTES = 1024 * 1024

/** What the bodies of all requests may take that are being read, and those of one caller. */
const LIMITS = { all: 256 * 1024 * 1024, one: 128 * 1024 * 1024 }

/** Too much is being sent at once. */
export class TooManyBytes extends Error {}

/** The client went away before its request was complete. */
export class UploadAborted extends Error {}

/** Reads the bodies of requests, in bounds for all of them together. */
export class BodyReader {
  readonly #heldBy = new Map<string | undefined, number>()
  readonly #bodies = new WeakMap<IncomingMessage, { readonly caller: string | undefined; bytes: number }>()
  #held = 0

  constructor(private readonly limits = LIMITS) {}

  /**
   * The text of a body, which counts until `release`. Nothing where it is too large.
   * @param caller nothing where that is not known
   * @throws TooManyBytes, UploadAborted
   */
  async read(request: IncomingMessage, maxBytes: number, caller?: string): Promise<string | undefined> {
    const chunks: Buffer[] = []
    let length = 0
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        length += chunk.length
        if (length > maxBytes) return undefined
        this.#hold(request, caller, chunk.length)
        chunks.push(chunk)
      }
    } catch (error) {
      if (error instanceof TooManyBytes) throw error
      throw new UploadAborted('The client went away.', { cause: error })
    }
    return Buffer.concat(chunks).toString('utf8')
  }

  /** The request was handed on, or refused. */
  release(request: IncomingMessage): void {
    const body = this.#bodies.get(request)
    if (!body) return
    this.#bodies.delete(request)
    this.#count(body.caller, -body.bytes)
  }

  #hold(request: IncomingMessage, caller: string | undefined, bytes: number): void {
    const body = this.#bodies.get(request) ?? { caller, bytes: 0 }
    this.#bodies.set(request, body)
    const ofCaller = (this.#heldBy.get(caller) ?? 0) + bytes
    if (this.#held + bytes > this.limits.all || ofCaller > this.limits.one) throw new TooManyBytes()
    body.bytes += bytes
    this.#count(caller, bytes)
  }

  #count(caller: string | undefined, bytes: number): void {
    this.#held += bytes
    const rest = (this.#heldBy.get(caller) ?? 0) + bytes
    if (rest > 0) this.#heldBy.set(caller, rest)
    else this.#heldBy.delete(caller)
  }
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
