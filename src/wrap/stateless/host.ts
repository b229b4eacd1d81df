import type { ServerResponse } from 'node:http'
import type { Clock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import type { PlacedSession } from '../http/places.ts'
import { failure, RpcErrorCode, type RpcRequest, type RpcResponse } from '../rpc.ts'
import type { Session } from '../session.ts'
import { Exchange } from './exchange.ts'
import { RequestChannel } from './request-channel.ts'

export interface StatelessHostOptions {
  readonly clock: Clock
  /** The subject whose requests they are; nothing where that is not known. */
  readonly owner: string | undefined
  /** Takes a place for it. @throws TooManySessions */
  takePlace(): Promise<void>
  /** The session behind the requests. @param onEnd its server cannot be used */
  open(channel: RequestChannel, onEnd: () => void): Session
  /** It takes no more requests. */
  onClosing(): void
  /** Its session is over. */
  onGone(): void
}

/** All requests of one caller that come without a session, in front of one session with the wrapped server. */
export class StatelessHost implements PlacedSession {
  readonly startedAt: number
  readonly #channel: RequestChannel
  readonly #session: Session
  #lastSeen: number
  #started: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(private readonly options: StatelessHostOptions) {
    this.startedAt = options.clock.monotonic()
    this.#lastSeen = this.startedAt
    this.#channel = new RequestChannel(options.owner === undefined, options.clock)
    this.#session = options.open(this.#channel, () => void this.close())
  }

  get owner(): string | undefined {
    return this.options.owner
  }

  get inUse(): boolean {
    return this.#channel.openRequests > 0 || this.#closing !== undefined || this.#session.hasWork
  }

  get lastSeen(): number {
    return this.#lastSeen
  }

  /** @throws when the wrapped server cannot be started; TooManySessions */
  start(): Promise<void> {
    this.#started ??= this.options.takePlace().then(() => this.#session.start())
    return this.#started
  }

  /** What the tool that a request calls declares of its arguments. */
  inputSchemaOf(request: RpcRequest): Promise<JsonObject | undefined> {
    return this.#session.inputSchemaOf(request)
  }

  /** Answers the request, unless its client leaves. */
  handle(request: RpcRequest, response: ServerResponse): void {
    // The client left while its request waited.
    if (response.destroyed) return
    const { clock } = this.options
    const exchange = new Exchange(request, response, clock)
    exchange.onClose = () => {
      this.#lastSeen = clock.monotonic()
    }
    this.#channel.receive(exchange)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.options.onClosing()
    await this.#session.close()
    this.options.onGone()
  }
}

export function cannotStart({ id }: RpcRequest): RpcResponse {
  const message = 'The wrapped server cannot be started; the log of the wrapper says why.'
  return failure(id, { code: RpcErrorCode.upstreamLost, message })
}
