import { randomUUID } from 'node:crypto'
import type { SendRequest } from '../../agent/tasks/questions.ts'
import { onAbort } from '../../core/abort.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { notification, type RpcId, type RpcMessage, type RpcResponse } from '../rpc.ts'

/** No id of the wrapped server's looks like it. */
const PREFIX = `refcache:ask-${randomUUID()}:`

/** What the wrapper itself asks of its client, beside the requests of the wrapped server. */
export class OwnRequests {
  readonly #open = new Map<string, (response: RpcResponse) => void>()
  #nextId = 0

  constructor(private readonly tell: (message: RpcMessage, relatedTo?: RpcId) => void) {}

  /** Asks on the stream of a request of the client's, or on the connection. */
  sender(relatedTo?: RpcId): SendRequest {
    return ({ method, params }, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const id = `${PREFIX}${this.#nextId++}`
        const withdraw = () => {
          this.#open.delete(id)
          const reason = 'The question is not open any more.'
          this.tell(notification('notifications/cancelled', { requestId: id, reason }), relatedTo)
          reject(signal.reason)
        }
        const ignore = onAbort(signal, withdraw)
        this.#open.set(id, response => {
          ignore()
          if ('result' in response) return resolve(response.result)
          const { message, ...rpc } = response.error
          reject(new ProtocolFailure(message, rpc))
        })
        this.tell({ jsonrpc: '2.0', id, method, params: params as JsonObject }, relatedTo)
      })
  }

  /** Takes the answer to a request of ours; false where a response is none. */
  answered(response: RpcResponse): boolean {
    if (typeof response.id !== 'string' || !response.id.startsWith(PREFIX)) return false
    this.#open.get(response.id)?.(response)
    this.#open.delete(response.id)
    return true
  }
}
