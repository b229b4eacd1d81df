import type { RpcId, RpcRequest } from '../rpc.ts'
import type { OpenCall } from './open-call.ts'
import { canAsk } from './revision-2025.ts'

/** The calls that one server works on, in the order in which they began. */
export class OpenCalls {
  readonly #calls = new Map<RpcId, OpenCall>()

  add(call: OpenCall): void {
    this.#calls.set(call.request.id, call)
  }

  delete(call: OpenCall): void {
    this.#calls.delete(call.request.id)
  }

  /** By the id that the server knows it by. */
  get(id: RpcId): OpenCall | undefined {
    return this.#calls.get(id)
  }

  has(call: OpenCall): boolean {
    return this.#calls.get(call.request.id) === call
  }

  get isEmpty(): boolean {
    return this.#calls.size === 0
  }

  get all(): OpenCall[] {
    return [...this.#calls.values()]
  }

  /** The one that a request of the client waits for. */
  waitingFor(requestId: RpcId): OpenCall | undefined {
    return this.all.find(({ waitingId }) => waitingId === requestId)
  }

  withToken(token: unknown): OpenCall | undefined {
    return this.all.find(call => call.hasToken(token))
  }

  /** Messages of 2025-11-25 do not say which call they belong to: the newest that can be asked this. */
  thatAsks(question: RpcRequest): OpenCall | undefined {
    return this.all.filter(call => canAsk(call.request.method) && call.canBeAsked(question)).at(-1)
  }
}
