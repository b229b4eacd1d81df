import { IdMap, isSameId } from '../../agent/id-map.ts'
import { isJsonObject } from '../../core/json.ts'
import {
  failure,
  progressTokenOf,
  RpcErrorCode,
  type RpcFailure,
  type RpcId,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from '../rpc.ts'
import type { PassedRequests } from './passed-requests.ts'

/** Tasks of the server whose progress a client may still hear of. */
const MAX_TASKS = 1_000

/** Requests of the client that the server has to answer, and the progress tokens that count meanwhile. */
export class ForwardedRequests {
  readonly #open = new IdMap<RpcRequest>()
  /** Those that the server has: what becomes of the others is for whoever sends them to say. */
  readonly #sent = new WeakSet<RpcRequest>()
  /** A token counts for as long as the task that the call became; nobody says here when that ends. */
  readonly #tasks: RpcId[] = []

  /** @param traces none where somebody before it tells of them */
  constructor(private readonly traces?: PassedRequests) {}

  get isEmpty(): boolean {
    return this.#open.ids().length === 0
  }

  /** Gives what the server is to be sent. */
  add(request: RpcRequest, revision?: string): RpcRequest {
    this.#open.set(request.id, request)
    return this.traces?.begin(request, revision) ?? request
  }

  /** Whether it still wants its answer. */
  has(request: RpcRequest): boolean {
    return this.#open.get(request.id) === request
  }

  sent(request: RpcRequest): void {
    this.#sent.add(request)
  }

  /** The request that is answered, once. Nothing where it was cancelled, or the server makes things up. */
  answered(response: RpcResponse): RpcRequest | undefined {
    const request = this.#open.get(response.id)
    if (!request) return undefined
    this.#open.delete(request.id)
    this.traces?.end(request, response)
    const token = progressTokenOf(request.params)
    if (token !== undefined && 'result' in response && isTask(response)) {
      if (this.#tasks.push(token) > MAX_TASKS) this.#tasks.shift()
    }
    return request
  }

  /** @param failed why it has no answer; nothing where the client does not want it any more */
  forget(id: RpcId, failed?: RpcFailure): boolean {
    const request = this.#open.get(id)
    if (!request) return false
    this.traces?.end(request, failed)
    return this.#open.delete(id)
  }

  /** The server is gone: gives the failures of what it will not answer. */
  lost(reason: string): RpcFailure[] {
    this.#tasks.length = 0
    const lost = this.#open.values().filter(request => this.#sent.has(request))
    return lost.map(({ id }) => {
      const failed = failure(id, { code: RpcErrorCode.upstreamLost, message: reason })
      this.forget(id, failed)
      return failed
    })
  }

  close(): void {
    this.traces?.close()
  }

  /** What progress of the server belongs to. Nothing where the client gave no such token, or has its answer. */
  ofProgress({ params }: RpcNotification): { request: RpcId | undefined } | undefined {
    const token = params?.progressToken as RpcId | undefined
    if (token === undefined) return undefined
    for (const request of this.#open.values()) {
      const given = progressTokenOf(request.params)
      if (given !== undefined && isSameId(given, token)) return { request: request.id }
    }
    return this.#tasks.some(given => isSameId(given, token)) ? { request: undefined } : undefined
  }
}

function isTask({ result }: RpcResponse & { result: { [name: string]: unknown } }): boolean {
  return result.resultType === 'task' || isJsonObject(result.task as never)
}
