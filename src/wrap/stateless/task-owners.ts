import { NO_SUCH_TASK } from '../../agent/tasks/errors.ts'
import { isTaskListen, taskIdsOf, withoutTasks } from '../../agent/tasks/subscriptions.ts'
import { failure, RpcErrorCode, type RpcRequest, type RpcResponse } from '../rpc.ts'

/** The tasks of which the owner is known, at most: beyond that, the oldest is nobody's. */
const MAX_TASKS = 10_000

/**
 * Which subject each task of a shared server was given to. The server knows one client alone, so whoever guessed the id of a
 * task could follow, answer and cancel it. Callers that cannot be told apart share what they are given: the id is their key.
 */
export class TaskOwners {
  readonly #owners = new Map<string, string | undefined>()

  /** The task that the server made for a call is its caller's. */
  gave(owner: string | undefined, response: RpcResponse): void {
    const taskId = 'result' in response && response.result.resultType === 'task' && response.result.taskId
    if (typeof taskId !== 'string' || this.#owners.has(taskId)) return
    this.#owners.set(taskId, owner)
    if (this.#owners.size <= MAX_TASKS) return
    const [oldest] = this.#owners.keys()
    this.#owners.delete(oldest as string)
  }

  /** The request as the server may hear it; a refusal where it is about a task of somebody else, or of nobody. */
  admit(owner: string | undefined, request: RpcRequest): RpcRequest | RpcResponse {
    const mayUse = (taskId: unknown) => this.#mayUse(owner, taskId)
    if (/^tasks\/(?!list$)/.test(request.method) && !mayUse(request.params?.taskId)) {
      return failure(request.id, { code: RpcErrorCode.invalidParams, message: NO_SUCH_TASK })
    }
    if (!isTaskListen(request)) return request
    return withoutTasks(request, taskIdsOf(request.params).filter(mayUse)) as RpcRequest
  }

  #mayUse(owner: string | undefined, taskId: unknown): boolean {
    if (owner === undefined) return this.#owners.get(String(taskId)) === undefined
    return this.#owners.get(String(taskId)) === owner
  }
}
