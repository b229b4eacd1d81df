import { IdMap } from '../../agent/id-map.ts'
import { InputUnavailable } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { AskMethod, InputRequest } from '../../core/question.ts'
import {
  failure,
  metaOf,
  RELATED_TASK,
  RpcErrorCode,
  type RpcId,
  type RpcRequest,
  type RpcResponse,
  result,
} from '../rpc.ts'
import { type Asker, ask } from './input.ts'

/**
 * What the wrapped server asks on its connection while it runs a call, as questions of that call's task: so the task says that it
 * waits, and whoever follows it is asked.
 */
export class ServerQuestions {
  readonly #open = new IdMap<AbortController>()

  /** Puts a question of the server to whoever follows the task, and gives the answer for the server. */
  async put(request: RpcRequest, task: Asker): Promise<RpcResponse | 'not_asked' | 'withdrawn'> {
    const { id } = request
    const withdrawn = new AbortController()
    this.#open.set(id, withdrawn)
    try {
      return result(id, await ask(task, questionOf(request), withdrawn.signal))
    } catch (error) {
      if (withdrawn.signal.aborted) return 'withdrawn'
      if (error instanceof InputUnavailable && !error.refusal) return 'not_asked'
      const refusal = error instanceof InputUnavailable ? error.refusal : undefined
      return failure(id, refusal ?? { code: RpcErrorCode.internal, message: NOT_ANSWERED })
    } finally {
      // A server that was started again may ask something else under the same id by now.
      if (this.#open.get(id) === withdrawn) this.#open.delete(id)
    }
  }

  /** The server does not ask this any more; false where it is no question of a task. */
  withdraw(id: RpcId): boolean {
    const open = this.#open.get(id)
    open?.abort()
    return open !== undefined
  }

  /** The server is gone. */
  withdrawAll(): void {
    for (const open of this.#open.values()) open.abort()
  }
}

const NOT_ANSWERED = 'The question was not answered: the call that it belongs to is over.'

/** Which task of its own the server asks for is nobody else's concern. */
function questionOf({ method, params = {} }: RpcRequest): InputRequest {
  const { _meta: _, ...rest } = params
  const { [RELATED_TASK]: __, progressToken: ___, ...meta } = metaOf(params)
  const own: JsonObject = Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }
  return { method: method as AskMethod, params: own }
}
