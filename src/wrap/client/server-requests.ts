import { IdMap } from '../../agent/id-map.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { RpcId, RpcNotification, RpcRequest, RpcResponse } from '../rpc.ts'

/**
 * Requests of the server to the client: sampling, elicitation, roots. A server that is started again counts its ids
 * from the beginning; so that an answer to the old one never reaches the new one, ids change with each start.
 */
export class ServerRequests {
  /** From the id that the client sees to the server's own. */
  readonly #open = new IdMap<RpcId>()
  #starts = 0

  /** @param server told apart from others by that name. Absent: there is one alone, whose ids pass until it is started again */
  constructor(private readonly server?: string) {}

  opened(request: RpcRequest): RpcRequest {
    const id = this.#outer(request.id)
    this.#open.set(id, request.id)
    return { ...request, id }
  }

  /** The answer as the server that asked knows it; nothing where that one is gone. */
  answered(response: RpcResponse): RpcResponse | undefined {
    const id = this.#open.get(response.id)
    if (id === undefined) return undefined
    this.#open.delete(response.id)
    return { ...response, id }
  }

  /** A cancellation by the server names its own id. */
  translated(message: RpcNotification): RpcNotification {
    if (message.method !== 'notifications/cancelled') return message
    const requestId = this.#outer(message.params?.requestId as RpcId)
    return { ...message, params: { ...message.params, requestId } }
  }

  /** Whether the client sees that request under this id. */
  has(id: RpcId): boolean {
    return this.#open.has(id)
  }

  /** The server is gone; gives the ids of what it still waited for. */
  lost(): RpcId[] {
    const ids = this.#open.ids()
    this.#open.clear()
    this.#starts++
    return ids
  }

  #outer(id: RpcId): RpcId {
    if (this.#starts === 0 && this.server === undefined) return id
    return `refcache:${this.server ?? ''}start-${this.#starts}:${stringifyJson(id)}`
  }
}
