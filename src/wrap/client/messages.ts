import { BackPressure } from '../channels/back-pressure.ts'
import { type Channel, MessageTooLarge, type SendOptions } from '../channels/channel.ts'
import type { Log } from '../log.ts'
import { failure, isRequest, isResponse, RpcErrorCode, type RpcFailure, type RpcMessage } from '../rpc.ts'

export interface ClientMessagesOptions {
  readonly client: Channel
  readonly log: Log
  /** A client that does not read makes its server wait, instead of filling this process. */
  readonly hold: () => void
  readonly release: () => void
  /** A request that the client cannot be sent counts as one that it refused. */
  readonly onRefused: (refusal: RpcFailure) => void
}

/** What goes to one client. */
export class ClientMessages {
  readonly #pressure: BackPressure

  constructor(private readonly options: ClientMessagesOptions) {
    this.#pressure = new BackPressure(options.hold, options.release)
  }

  /** Whether the message got through, as far as the channel can tell. */
  send(message: RpcMessage, options?: SendOptions): Promise<boolean> {
    const sent = this.options.client.send(message, options).then(
      () => true,
      (error: Error) => this.#failed(message, error, options),
    )
    this.#pressure.track(sent)
    return sent
  }

  async #failed(message: RpcMessage, error: Error, options: SendOptions | undefined): Promise<boolean> {
    const { log, onRefused } = this.options
    if (!(error instanceof MessageTooLarge)) {
      log.debug('client_unreachable', `A message to the client got lost: ${error.message}`)
      return false
    }
    const isAnswer = isResponse(message)
    const what = isAnswer ? 'An answer' : `A message of the server (${message.method.slice(0, 100)})`
    log.warn('message_too_large', `${what} was not passed on: ${error.message}`)
    if (isAnswer) return this.send(refusalOf(message.id, error), options)
    if (isRequest(message)) onRefused(refusalOf(message.id, error))
    return false
  }
}

function refusalOf(id: RpcFailure['id'], { message }: MessageTooLarge): RpcFailure {
  const text = `${message} Ask for less at once, or connect over HTTP (mcp-refcache wrap --http), which has no such limit.`
  return failure(id, { code: RpcErrorCode.internal, message: text })
}
