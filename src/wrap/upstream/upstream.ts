import { randomBytes } from 'node:crypto'
import { onAbort } from '../../core/abort.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Channel, SendOptions } from '../channels/channel.ts'
import type { Log } from '../log.ts'
import {
  failure,
  isRequest,
  isResponse,
  notification,
  RpcErrorCode,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from '../rpc.ts'
import { tracedRequest } from '../traced-requests.ts'
import { Connection, type ConnectionEvents } from './connection.ts'
import type { RequestOptions, UpstreamEvents } from './events.ts'
import { OpenRequests, type RequestListener } from './open-requests.ts'
import { type OnProgress, ProgressTokens } from './progress-tokens.ts'

/** The wrapped server: what was forwarded to it and what we ask it ourselves, over a connection that is restored. */
export class Upstream {
  events: UpstreamEvents | undefined
  /** Unlike a client's ids, and unlike those of another wrapper above or below this one. */
  readonly #idPrefix = `refcache:${randomBytes(4).toString('hex')}:`
  #nextId = 1
  readonly #open = new OpenRequests()
  readonly #progress = new ProgressTokens(id => this.#open.hearerOf(id))
  readonly #connection: Connection

  /** @param lasts whether it is tried again also where the server never answered: others can be used meanwhile */
  constructor(connect: () => Promise<Channel>, log: Log, lasts = false) {
    const events: ConnectionEvents = {
      onMessage: (message, text) => this.#receive(message, text),
      onUnanswered: (id, reason) => this.#unanswered(id, reason),
      // What waits for the next channel goes out over that one, unless there will be none.
      onGone: reason => this.#open.fail(reason, this.closed),
      onLost: reason => this.events?.onLost(reason),
      onRestored: () => this.events?.onRestored(),
      onUnusable: reason => this.events?.onUnusable(reason),
      onAway: (reason, pauseMs) => this.events?.onAway?.(reason, pauseMs),
      onReady: () => this.events?.onReady?.(),
    }
    this.#connection = new Connection(connect, events, log, lasts)
  }

  /** @throws when the server cannot be started or reached, unless it lasts */
  start(): Promise<void> {
    return this.#connection.start()
  }

  /**
   * Sends a message as it is. Waits while the server is being restarted.
   * @param isWanted whether it is to be sent still, after that wait
   */
  async forward(message: RpcMessage, isWanted = () => true, options: SendOptions = {}): Promise<void> {
    // At once where possible: a cancellation must not overtake its request.
    const channel = this.#connection.ready ?? (await this.#connection.reach())
    if (isWanted()) await this.#connection.send(channel, message, options)
  }

  /** As of its channel. */
  get isPipe(): boolean {
    return this.#connection.channel?.isPipe ?? false
  }

  /** Whether a request of the server's may belong to a call of that tool. */
  mayAskFor(request: RpcRequest, tool: unknown): boolean {
    return this.#connection.channel?.mayAskFor?.(request, tool) ?? true
  }

  /** Sends a notification if the server is there to hear it. */
  tell(message: RpcNotification): void {
    this.#connection.ready?.send(message).catch(() => {})
  }

  /** A request of our own: no time limit but the signal's. Resolves with the server's answer, good or bad. */
  async request(method: string, params: JsonObject, options: RequestOptions = {}): Promise<RpcResponse> {
    return this.#ask(await this.#connection.reach(options.signal), method, params, options)
  }

  /**
   * A request of our own that goes out at once. Gives its id, which is its progress token, too; undefined where it would have to wait,
   * or needs more than the connection alone.
   */
  begin(
    method: string,
    params: (token: string) => JsonObject,
    listener: RequestListener,
  ): string | undefined {
    const channel = this.#connection.ready
    if (!channel?.isPipe) return undefined
    const id = this.#newId()
    const request = { jsonrpc: '2.0' as const, id, method, params: params(id) }
    this.#open.add(id, listener, () => this.#connection.send(channel, request))
    return id
  }

  /** Nobody wants the answer to a request of our own any more. */
  cancel(id: string): void {
    if (!this.#open.forget(id)) return
    this.tell(notification('notifications/cancelled', { requestId: id, reason: 'No longer wanted.' }))
  }

  /** Has `onProgress` hear of progress under the token, until `end`: a task may outlive the request that began it. */
  hear(onProgress: OnProgress, token = this.#newId()): { token: string; end(): void } {
    return this.#progress.hear(token, onProgress)
  }

  /** As `request`, on the new connection, before anybody else may use it. */
  replay(method: string, params: JsonObject): Promise<RpcResponse> {
    const { channel } = this.#connection
    if (!channel) throw new WorkerLost('The wrapped server is not running.')
    return this.#ask(channel, method, params, {})
  }

  /** A notification on the new connection, before anybody else may use it. */
  async introduce(message: RpcNotification): Promise<void> {
    await this.#connection.channel?.send(message)
  }

  #ask(channel: Channel, method: string, params: JsonObject, options: RequestOptions): Promise<RpcResponse> {
    const request = { jsonrpc: '2.0' as const, id: this.#newId(), method, params }
    return tracedRequest(request, channel.isPipe, traced => this.#askAs(channel, traced, options))
  }

  async #askAs(
    channel: Channel,
    request: RpcRequest & { readonly id: string },
    { signal }: RequestOptions,
  ): Promise<RpcResponse> {
    signal?.throwIfAborted()
    const { id } = request
    let ignore = () => {}
    try {
      return await new Promise((settle, reject) => {
        const abort = () => {
          this.cancel(id)
          reject(signal?.reason)
        }
        if (signal) ignore = onAbort(signal, abort)
        this.#open.add(id, { settle, reject }, () => this.#connection.send(channel, request, { signal }))
      })
    } finally {
      ignore()
    }
  }

  #newId(): string {
    return `${this.#idPrefix}${this.#nextId++}`
  }

  /** Lets the server wait: nothing that it sends is read until `release`. */
  hold(): void {
    this.#connection.hold()
  }

  release(): void {
    this.#connection.release()
  }

  /** Nothing that is asked from now on will be answered. */
  get closed(): boolean {
    return this.#connection.closed
  }

  /** Ends a server that does not answer any more, and starts it again. */
  restart(reason: string): Promise<void> {
    return this.#connection.restart(reason)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  #receive(message: RpcMessage, text: string | undefined): void {
    if (isResponse(message)) {
      this.#connection.heard()
      if (!this.#open.settle(message, text) && !this.#isOwn(message)) this.events?.onMessage(message, text)
    } else if (!this.#progress.take(message) && !this.#isOwn(message)) this.events?.onMessage(message)
  }

  #unanswered(id: RpcId, reason: string): void {
    if (this.#open.lose(String(id), reason)) return
    this.events?.onMessage(failure(id, { code: RpcErrorCode.upstreamLost, message: reason }))
  }

  /** An answer to us, or progress for us, that comes too late is nobody's. */
  #isOwn(message: RpcMessage): boolean {
    const mark = isResponse(message)
      ? message.id
      : isRequest(message)
        ? undefined
        : message.params?.progressToken
    return typeof mark === 'string' && mark.startsWith(this.#idPrefix)
  }
}
