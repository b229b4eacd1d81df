import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../core/json.ts'
import { isRequest, isStateless, protocolMeta, type RpcMessage, type RpcRequest } from '../rpc.ts'
import type { Upstream } from './upstream.ts'

/** How long requests wait for a server that does not say who it is. */
const MAX_WAIT_MS = 3_000

/**
 * What the server says of itself, asked for a client of 2026-07-28 that does not ask: it may have asked another process before this
 * one. How the server has to be spoken to shows by that.
 */
export class Introduction {
  #isAsked = false
  #asking: Promise<void> | undefined

  /** @param learn hears of the server's answer */
  constructor(
    private readonly upstream: Upstream,
    private readonly learn: (discovery: JsonObject) => void,
  ) {}

  /** Takes a message of the client on, at once where it has to wait for nothing. */
  before(message: RpcMessage, takeOn: () => void): void {
    const needsServer = isRequest(message)
    if (needsServer && !this.#isAsked) this.#begin(message)
    if (needsServer && this.#asking) void this.#asking.then(takeOn)
    else takeOn()
  }

  #begin({ method, params }: RpcRequest): void {
    this.#isAsked = true
    if (!isStateless(params) || method === 'server/discover') return
    this.#asking = this.#ask({ _meta: protocolMeta(params) ?? {} }).finally(() => {
      this.#asking = undefined
    })
  }

  async #ask(params: JsonObject): Promise<void> {
    const asked = this.upstream.request('server/discover', params).then(
      response => 'result' in response && this.learn(response.result),
      // Whoever asks for more hears that there is no server.
      () => {},
    )
    await Promise.race([asked, sleep(MAX_WAIT_MS, undefined, { ref: false })])
  }
}
