import { isSameId } from '../../agent/id-map.ts'
import { Signal } from '../../core/signal.ts'
import {
  isRequest,
  isResponse,
  protocolMeta,
  RpcErrorCode,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
} from '../rpc.ts'
import { type Channel, type SendOptions, SessionEnded } from './channel.ts'
import { discoverRequest } from './discovery.ts'

/** What outlasts a connection: whether the client speaks 2026-07-28 and the server does not. */
export interface Adaptation {
  isNeeded: boolean
}

/**
 * The wrapped server of one client. A client that asks for 2026-07-28 is served at that revision also where the server knows 2025-11-25
 * alone; all else passes.
 */
export class EitherRevision implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  #channel: Channel | undefined
  /** The client's question whether the server speaks 2026-07-28, while that is open. */
  #discovery: RpcRequest | undefined
  #adapting: Promise<void> | undefined
  /** That question is answered. */
  readonly #decided = new Signal()
  /** Our own question, where the server has refused the client's: that may be wrong in itself. */
  #probe: { readonly id: RpcId; readonly asked: RpcRequest; readonly refusal: RpcMessage } | undefined

  constructor(
    private readonly open: () => Promise<Channel>,
    private readonly adaptation: Adaptation,
  ) {}

  get isPipe(): boolean {
    return this.#channel?.isPipe ?? false
  }

  async start(): Promise<void> {
    await this.#use(this.adaptation.isNeeded ? await this.#adapter() : await this.open())
  }

  async send(message: RpcMessage, options?: SendOptions): Promise<void> {
    if (this.#givesUp(message)) this.#expect(undefined)
    // At which revision the server is spoken to is not known yet.
    else if (isRequest(message)) while (this.#discovery ?? this.#probe) await this.#decided.next()
    if (this.#adapting) await this.#adapting.catch(() => {})
    const asks = isRequest(message) && message.method === 'server/discover' && protocolMeta(message.params)
    if (isRequest(message)) this.#expect(asks && !this.adaptation.isNeeded ? message : undefined)
    try {
      await this.#current.send(message, options)
    } catch (error) {
      if (!this.#discovery || error instanceof SessionEnded) throw error
      await this.#adapt(this.#discovery, () => {
        throw error
      })
    }
  }

  /** A client that begins a handshake does not wait for the answer to its question; nor does one that says so. */
  #givesUp(message: RpcMessage): boolean {
    if (!('method' in message)) return false
    const { method, params } = message
    if (method === 'initialize') return true
    const asked = this.#discovery?.id
    return method === 'notifications/cancelled' && asked !== undefined && params?.requestId === asked
  }

  #expect(discovery: RpcRequest | undefined): void {
    this.#discovery = discovery
    if (!discovery) this.#decided.notify()
  }

  pause(): void {
    this.#channel?.pause()
  }

  resume(): void {
    this.#channel?.resume()
  }

  async close(): Promise<void> {
    await this.#channel?.close()
  }

  get #current(): Channel {
    if (!this.#channel) throw new Error('The wrapped server is not running.')
    return this.#channel
  }

  async #use(channel: Channel): Promise<void> {
    this.#channel = channel
    channel.onmessage = (message, text) => this.#receive(message, text)
    channel.onerror = problem => this.onerror?.(problem)
    channel.onclose = reason => this.#lost(channel, reason)
    await channel.start()
  }

  #receive(message: RpcMessage, text: string | undefined): void {
    const asked = this.#discovery
    const isAnswer = asked && isResponse(message) && isSameId(message.id, asked.id)
    if (isAnswer) this.#discovery = undefined
    if (this.#probe && isResponse(message) && message.id === this.#probe.id) this.#probed(message)
    else if (isAnswer && isUnknownMethod(message)) void this.#adaptOr(asked, message)
    else if (isAnswer && isRefusal(message)) this.#ask(asked, message)
    else this.onmessage?.(message, text)
    if (isAnswer) this.#decided.notify()
  }

  #ask(asked: RpcRequest, refusal: RpcMessage): void {
    const request = discoverRequest()
    this.#probe = { id: request.id, asked, refusal }
    this.#channel?.send(request).catch(() => this.#probed(refusal))
  }

  #probed(answer: RpcMessage): void {
    const probe = this.#probe
    this.#probe = undefined
    if (!probe) return
    if (isRefusal(answer)) void this.#adaptOr(probe.asked, probe.refusal)
    else this.onmessage?.(probe.refusal)
    this.#decided.notify()
  }

  /** @param refusal for the client, where the server cannot be used either way */
  #adaptOr(asked: RpcRequest, refusal: RpcMessage): Promise<void> {
    return this.#adapt(asked, () => this.onmessage?.(refusal), this.#channel).catch(() => {})
  }

  #lost(channel: Channel, reason: string): void {
    if (this.#channel !== channel) return
    // Some servers end when they are asked before the handshake.
    const asked = this.#discovery ?? this.#probe?.asked
    this.#probe = undefined
    if (asked) void this.#adapt(asked, () => this.onclose?.(reason)).catch(() => {})
    else this.onclose?.(reason)
    this.#decided.notify()
  }

  /** Puts the adapter in front of the server, and has it answer. @param orElse where the server cannot be used so either */
  #adapt(asked: RpcRequest, orElse: () => void, started?: Channel): Promise<void> {
    this.#expect(undefined)
    this.#adapting = this.#adapter(started)
      .then(adapter => this.#use(adapter))
      .then(
        () => {
          this.adaptation.isNeeded = true
          return this.#current.send(asked)
        },
        () => orElse(),
      )
      .finally(() => {
        this.#adapting = undefined
      })
    return this.#adapting
  }

  async #adapter(started?: Channel): Promise<Channel> {
    const { Server2025 } = await import('../stateless/server-2025.ts')
    return new Server2025({ open: this.open, started, strangers: false })
  }
}

function isUnknownMethod(message: RpcMessage): boolean {
  return 'error' in message && Number(message.error.code) === RpcErrorCode.methodNotFound
}

/** A server that knows the question may still want another revision. */
function isRefusal(message: RpcMessage): boolean {
  return 'error' in message && Number(message.error.code) !== RpcErrorCode.unsupportedVersion
}
