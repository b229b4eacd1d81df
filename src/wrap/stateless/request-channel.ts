import { randomBytes } from 'node:crypto'
import { SUBSCRIPTION_ID } from '../../agent/tasks/subscriptions.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { Channel, SendOptions } from '../channels/channel.ts'
import {
  failure,
  isRequest,
  isResponse,
  metaOf,
  notification,
  progressTokenOf,
  RpcErrorCode,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
} from '../rpc.ts'
import type { Exchange } from './exchange.ts'
import { isLoggedAt, logLevelOf } from './revision-2025.ts'

/** So long after a client left, the server may go on with what it asked for. */
const LEFT_MS = 60_000

/**
 * The requests of clients without sessions, as one channel. Two clients may use the same ids and progress tokens: here each
 * request has an id of its own, which is also its progress token.
 */
export class RequestChannel implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  readonly #idPrefix = `request:${randomBytes(8).toString('hex')}:`
  readonly #open = new Map<string, Exchange>()
  #nextId = 1
  /** When a client last left work behind, which may still have something to say. */
  #leftAt = Number.NEGATIVE_INFINITY

  /** @param strangers whether the requests are of clients who are not to hear of each other */
  constructor(
    private readonly strangers = false,
    private readonly clock: Clock = systemClock,
  ) {}

  async start(): Promise<void> {}

  get openRequests(): number {
    return this.#open.size
  }

  /** Passes a request on, and its cancellation when the client leaves: that is how clients of this revision cancel. */
  receive(exchange: Exchange): void {
    const id = `${this.#idPrefix}${this.#nextId++}`
    this.#open.set(id, exchange)
    exchange.onLeave = () => {
      if (!this.#open.delete(id)) return
      this.#leftAt = this.clock.monotonic()
      this.onmessage?.(notification('notifications/cancelled', { requestId: id, reason: 'The client left.' }))
    }
    this.onmessage?.(withOwnId(exchange.request, id))
  }

  async send(message: RpcMessage, { relatedTo }: SendOptions = {}): Promise<void> {
    if (isRequest(message)) return this.#refuse(message)
    const id = isResponse(message)
      ? message.id
      : (requestOf(message) ?? relatedTo ?? this.#onlyOneOf(message))
    const exchange = this.#open.get(String(id))
    if (!exchange) {
      if (isResponse(message)) throw new Error('The client left before its request was answered.')
      // It belongs to no request that is open: nobody is waiting for it.
      return
    }
    if (!isResponse(message)) return exchange.send(withClientIds(message, exchange.request))
    this.#open.delete(String(id))
    await exchange.send({ ...withClientIds(message, exchange.request), id: exchange.request.id })
  }

  /** A server of this revision asks by its answers. */
  async #refuse({ id, method }: RpcRequest): Promise<void> {
    const message = `A client of 2026-07-28 takes no requests (${method}). Answer its request with input_required instead.`
    this.onmessage?.(failure(id, { code: RpcErrorCode.methodNotFound, message }))
  }

  /** A log message names no request: it belongs to the one that is open, if it is only one and has asked for it. */
  #onlyOneOf({ method, params = {} }: RpcNotification): RpcId | undefined {
    const [only, ...others] = this.#open
    if (method !== 'notifications/message' || !only || others.length > 0) return undefined
    if (this.strangers && this.clock.monotonic() - this.#leftAt < LEFT_MS) return undefined
    const [id, { request }] = only
    const least = logLevelOf(request.params)
    return least !== undefined && isLoggedAt(params.level, least) ? id : undefined
  }

  /** What is sent over HTTP comes in requests of their own: there is nothing to hold. */
  pause(): void {}

  resume(): void {}

  async close(): Promise<void> {
    for (const exchange of this.#open.values()) exchange.abandon()
    this.#open.clear()
  }
}

function withOwnId(request: RpcRequest, id: string): RpcRequest {
  if (progressTokenOf(request.params) === undefined) return { ...request, id }
  const _meta = { ...metaOf(request.params), progressToken: id }
  return { ...request, id, params: { ...request.params, _meta } }
}

/** The request that a notification names. */
function requestOf({ params }: RpcNotification): RpcId | undefined {
  const named = params?.progressToken ?? metaOf(params)[SUBSCRIPTION_ID] ?? params?.requestId
  return named as RpcId | undefined
}

/** The message with the ids that the client gave in the place of ours. */
function withClientIds<Message extends RpcMessage>(message: Message, request: RpcRequest): Message {
  if (isResponse(message)) {
    if ('error' in message) return message
    return { ...message, result: withSubscriptionId(message.result, request) }
  }
  const { params } = message
  if (params === undefined) return message
  const token = progressTokenOf(request.params)
  const translated = {
    ...params,
    ...(params.progressToken === undefined || token === undefined ? {} : { progressToken: token }),
    ...(params.requestId === undefined ? {} : { requestId: request.id }),
  }
  return { ...message, params: withSubscriptionId(translated, request) }
}

function withSubscriptionId(body: JsonObject, { id }: RpcRequest): JsonObject {
  const { _meta } = body
  if (!isJsonObject(_meta) || _meta[SUBSCRIPTION_ID] === undefined) return body
  return { ...body, _meta: { ..._meta, [SUBSCRIPTION_ID]: id } }
}
