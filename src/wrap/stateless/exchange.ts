import type { ServerResponse } from 'node:http'
import { type Clock, systemClock } from '../../core/clock.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { EventStream } from '../channels/event-stream.ts'
import { isResponse, RpcErrorCode, type RpcMessage, type RpcRequest, type RpcResponse } from '../rpc.ts'

/** Proxies and clients give up on a response that is silent for longer. */
const KEEP_ALIVE_MS = 15_000

/** What a client may leave unread before its request counts as left. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * One request of 2026-07-28 over HTTP and its response: one JSON body where the answer is all there is to say in time, else
 * a stream of events that ends with the answer.
 */
export class Exchange {
  #stream: EventStream | undefined
  #answered = false
  #endKeepAlive = () => {}
  /** The client closed the response before it was answered. */
  onLeave = () => {}
  /** Nothing more can be sent. */
  onClose = () => {}

  constructor(
    readonly request: RpcRequest,
    private readonly response: ServerResponse,
    private readonly clock: Clock = systemClock,
  ) {
    response.once('close', () => {
      this.#endKeepAlive()
      if (!this.#answered) this.onLeave()
      this.onClose()
    })
    this.#keepAlive()
  }

  /** Resolves when there is room for more. @throws when the client left before it took the message */
  async send(message: RpcMessage): Promise<void> {
    if (this.response.destroyed) throw new Error('The client left before its request was answered.')
    const isAnswer = isResponse(message)
    // Callers share the server, so it cannot be made to wait for the one that does not read.
    if (!isAnswer && this.response.writableLength > MAX_UNREAD_BYTES) {
      this.response.destroy()
      throw new Error('The client did not read what it was sent.')
    }
    if (isAnswer) this.#answered = true
    if (isAnswer && !this.#stream) return this.#sendWhole(message)
    this.#open().write(eventOf(message))
    if (isAnswer) this.#end()
    await this.#stream?.room()
  }

  /** Ends the response without an answer. */
  abandon(): void {
    this.#answered = true
    this.response.destroy()
  }

  async #sendWhole(message: RpcResponse): Promise<void> {
    const headers = { 'content-type': 'application/json' }
    this.response.writeHead(statusOf(this.request, message), headers).write(stringifyJson(message))
    const sent = new EventStream(this.response)
    this.#end()
    await sent.room()
  }

  #end(): void {
    this.#endKeepAlive()
    this.response.end()
  }

  #open(): ServerResponse {
    if (this.#stream) return this.response
    this.#stream = new EventStream(this.response)
    return this.response.writeHead(200, STREAM_HEADERS)
  }

  #keepAlive(): void {
    this.#endKeepAlive = this.clock.schedule(
      KEEP_ALIVE_MS,
      () => {
        this.#open().write(': keep-alive\n\n')
        this.#keepAlive()
      },
      'background',
    )
  }
}

function eventOf(message: RpcMessage): string {
  return `event: message\ndata: ${stringifyJson(message)}\n\n`
}

/** An error is the answer to a request that was understood, but for those of which the protocol says otherwise. */
function statusOf({ method }: RpcRequest, message: RpcResponse): number {
  const code = 'error' in message ? Number(message.error.code) : undefined
  if (code === RpcErrorCode.missingCapability) return 400
  // A tool that is not there is another matter.
  return code === RpcErrorCode.methodNotFound && method !== 'tools/call' ? 404 : 200
}
