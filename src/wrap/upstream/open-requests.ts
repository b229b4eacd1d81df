import { WorkerLost } from '../../core/errors.ts'
import type { RpcResponse } from '../rpc.ts'
import type { OnProgress } from './progress-tokens.ts'

/** Hears what becomes of a request: an answer or an error, once. */
export interface RequestListener {
  /** @param text the answer as it came, where it came as one line of JSON */
  settle(response: RpcResponse, text: string | undefined): void
  reject(error: Error): void
  /** Of progress under the request's own id. */
  hear?(...report: Parameters<OnProgress>): void
}

interface OpenRequest {
  readonly listener: RequestListener
  /** Until then it is for whoever sends it to say what becomes of it. */
  isSent: boolean
}

/** What was asked of a server and is not answered yet. */
export class OpenRequests {
  readonly #open = new Map<string, OpenRequest>()

  /** @param sending how it is sent */
  add(id: string, listener: RequestListener, sending: () => Promise<void>): void {
    const request = { listener, isSent: false }
    this.#open.set(id, request)
    const sent = () => {
      request.isSent = true
    }
    sending().then(sent, (error: Error) => this.#reject(id, asLost(error)))
  }

  /** Hands the answer on; false where nobody waits for it. */
  settle(response: RpcResponse, text: string | undefined): boolean {
    const id = String(response.id)
    const request = this.#open.get(id)
    this.#open.delete(id)
    request?.listener.settle(response, text)
    return request !== undefined
  }

  /** Nobody waits for it any more; false where nobody did. */
  forget(id: string): boolean {
    return this.#open.delete(id)
  }

  /** Nothing that was sent will be answered. @param all nor will what was not sent */
  fail(reason: string, all: boolean): void {
    for (const [id, { isSent }] of this.#open) if (isSent || all) this.#reject(id, new WorkerLost(reason))
  }

  /** It will not be answered; false where nobody waits for it. */
  lose(id: string, reason: string): boolean {
    const isOpen = this.#open.has(id)
    this.#reject(id, new WorkerLost(reason))
    return isOpen
  }

  /** Who hears of progress under the id of a request. */
  hearerOf(id: string): OnProgress | undefined {
    const listener = this.#open.get(id)?.listener
    return listener?.hear && (report => listener.hear?.(report))
  }

  #reject(id: string, error: Error): void {
    const request = this.#open.get(id)
    this.#open.delete(id)
    request?.listener.reject(error)
  }
}

function asLost(error: Error): WorkerLost {
  if (error instanceof WorkerLost) return error
  return new WorkerLost(`The wrapped server could not be asked: ${error.message}`)
}
