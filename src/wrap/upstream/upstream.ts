import { randomBytes } from 'node:crypto'
import { onAbort } from '../../core/abort.ts'
import { Backoff } from '../../core/backoff.ts'
import { systemClock } from '../../core/clock.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { Signal } from '../../core/signal.ts'
import { type Channel, type SendOptions, SessionEnded } from '../channels/channel.ts'
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
import type { RequestOptions, UpstreamEvents } from './events.ts'
import { OpenRequests, type RequestListener } from './open-requests.ts'
import { type OnProgress, ProgressTokens } from './progress-tokens.ts'

const RESTARTS = { firstMs: 250, maxMs: 30_000 }
/** A server that lived this long before it went away begins again with a short pause. */
const STABLE_MS = 60_000
/** How long a message waits for a server that is being restarted. */
const MAX_WAIT_MS = 10_000

/** The wrapped server: what was forwarded to it and what we ask it ourselves, over a connection that is restored. */
export class Upstream {
  events: UpstreamEvents | undefined
  /** Unlike a client's ids, and unlike those of another wrapper above or below this one. */
  readonly #idPrefix = `refcache:${randomBytes(4).toString('hex')}:`
  #nextId = 1
  #channel: Channel | undefined
  /** Whether the connection knows all that it has to: until then it is for `replay` alone. */
  #ready = false
  readonly #open = new OpenRequests()
  readonly #progress = new ProgressTokens(id => this.#open.hearerOf(id))
  /** The connection is restored, or will not be. */
  readonly #changed = new Signal()
  readonly #restarts = new Backoff(RESTARTS)
  #startedAt = 0
  #answered = false
  #closed = false
  #held = false
  #restart: NodeJS.Timeout | undefined

  /** @param lasts whether it is tried again also where the server never answered: others can be used meanwhile */
  constructor(
    private readonly connect: () => Promise<Channel>,
    private readonly log: Log,
    private readonly lasts = false,
  ) {}

  /** @throws when the server cannot be started or reached, unless it lasts */
  async start(): Promise<void> {
    if (this.lasts) return this.#tryAgain()
    await this.#connect()
    this.#ready = true
  }

  async #connect(): Promise<void> {
    const channel = await this.connect()
    channel.onmessage = (message, text) => this.#receive(message, text)
    channel.onerror = problem => this.log.warn('upstream_problem', problem)
    channel.onclose = reason => this.#lost(channel, reason)
    channel.onunanswered = (id, reason) => this.#unanswered(id, reason)
    await channel.start()
    if (this.#closed) return channel.close()
    this.#startedAt = Date.now()
    this.#channel = channel
    if (this.#held) channel.pause()
  }

  /**
   * Sends a message as it is. Waits while the server is being restarted.
   * @param isWanted whether it is to be sent still, after that wait
   */
  async forward(message: RpcMessage, isWanted = () => true, options: SendOptions = {}): Promise<void> {
    // At once where possible: a cancellation must not overtake its request.
    const channel = this.#ready && this.#channel ? this.#channel : await this.#reach()
    if (isWanted()) await this.#send(channel, message, options)
  }

  /** As of its channel. */
  get isPipe(): boolean {
    return this.#channel?.isPipe ?? false
  }

  /** Whether a request of the server's may belong to a call of that tool. */
  mayAskFor(request: RpcRequest, tool: unknown): boolean {
    return this.#channel?.mayAskFor?.(request, tool) ?? true
  }

  /** A message that a new session has to be opened for goes out once more. */
  async #send(channel: Channel, message: RpcMessage, options: SendOptions = {}): Promise<void> {
    let used = channel
    try {
      await channel.send(message, options)
    } catch (error) {
      if (!(error instanceof SessionEnded) || this.#closed) throw error
      await new Promise(setImmediate)
      used = await this.#reach(options.signal)
      await used.send(message, options)
    }
    if (used !== this.#channel) throw new WorkerLost('The wrapped server went away before it answered.')
  }

  /** Sends a notification if the server is there to hear it. */
  tell(message: RpcNotification): void {
    if (this.#ready) this.#channel?.send(message).catch(() => {})
  }

  /** A request of our own: no time limit but the signal's. Resolves with the server's answer, good or bad. */
  async request(method: string, params: JsonObject, options: RequestOptions = {}): Promise<RpcResponse> {
    return this.#ask(await this.#reach(options.signal), method, params, options)
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
    const channel = this.#ready ? this.#channel : undefined
    if (!channel?.isPipe) return undefined
    const id = this.#newId()
    const request = { jsonrpc: '2.0' as const, id, method, params: params(id) }
    this.#open.add(id, listener, () => this.#send(channel, request))
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
    if (!this.#channel) throw new WorkerLost('The wrapped server is not running.')
    return this.#ask(this.#channel, method, params, {})
  }

  /** A notification on the new connection, before anybody else may use it. */
  async introduce(message: RpcNotification): Promise<void> {
    await this.#channel?.send(message)
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
        this.#open.add(id, { settle, reject }, () => this.#send(channel, request, { signal }))
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
    this.#held = true
    this.#channel?.pause()
  }

  release(): void {
    this.#held = false
    this.#channel?.resume()
  }

  /** Nothing that is asked from now on will be answered. */
  get closed(): boolean {
    return this.#closed
  }

  /** Ends a server that does not answer any more, and starts it again. */
  async restart(reason: string): Promise<void> {
    const channel = this.#channel
    if (!channel) return
    this.#lost(channel, reason)
    await channel.close()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#ready = false
    clearTimeout(this.#restart)
    this.#open.fail('The wrapper is being closed.', true)
    this.#changed.notify()
    await this.#channel?.close()
    this.#channel = undefined
  }

  #receive(message: RpcMessage, text: string | undefined): void {
    if (isResponse(message)) {
      this.#heard()
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

  #heard(): void {
    if (!this.#answered) this.log.info('ready', 'The wrapped server has answered.')
    this.#answered = true
  }

  #lost(channel: Channel, reason: string): void {
    if (this.#channel !== channel || this.#closed) return
    this.#channel = undefined
    this.#open.fail(reason, false)
    // A server that goes away again while it is restored: `#tryAgain` hears of it and goes on.
    if (!this.#ready) return
    this.#ready = false
    if (!this.#answered && !this.lasts) {
      this.#closed = true
      this.events?.onUnusable(reason)
      this.#changed.notify()
      return
    }
    this.events?.onLost(reason)
    if (Date.now() - this.#startedAt > STABLE_MS) this.#restarts.reset()
    this.#restartLater(reason)
  }

  #restartLater(reason: string): void {
    const pause = this.#restarts.next()
    this.log.warn('upstream_lost', `${reason} Starting it again in ${pause / 1000} s.`)
    this.events?.onAway?.(reason, pause)
    this.#restart = setTimeout(() => void this.#tryAgain(), pause)
  }

  async #tryAgain(): Promise<void> {
    const isFirst = !this.#answered
    try {
      await this.#connect()
      await this.events?.onRestored()
      if (!this.#channel) throw new Error('The wrapped server ended again.')
      this.#ready = true
      this.events?.onReady?.()
      if (!isFirst) this.log.info('upstream_restored', 'The wrapped server runs again.')
      this.#changed.notify()
    } catch (error) {
      const channel = this.#channel
      this.#channel = undefined
      await channel?.close()
      if (!this.#closed) this.#restartLater((error as Error).message)
    }
  }

  async #reach(signal?: AbortSignal): Promise<Channel> {
    if (!this.#ready) await this.#untilReady(signal)
    signal?.throwIfAborted()
    if (!this.#channel || !this.#ready)
      throw new WorkerLost('The wrapped server is not running. Try again in a while.')
    return this.#channel
  }

  async #untilReady(signal: AbortSignal | undefined): Promise<void> {
    let isOver = false
    const finish = () => {
      isOver = true
      this.#changed.notify()
    }
    const cancel = systemClock.schedule(MAX_WAIT_MS, finish)
    const ignore = signal && onAbort(signal, finish)
    while (!this.#ready && !this.#closed && !isOver) await this.#changed.next()
    cancel()
    ignore?.()
  }
}
