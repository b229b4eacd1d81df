import { randomBytes } from 'node:crypto'
import { MESSAGE_STEP } from '../../agent/progress.ts'
import { toNumber } from '../../core/exact-number.ts'
import type { JsonObject } from '../../core/json.ts'
import {
  metaOf,
  notification,
  progressTokenOf,
  type RpcId,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
  result,
} from '../rpc.ts'
import { canAnswer, isAskable, type ServerQuestion, toAnswer, toInputRequest } from './questions.ts'
import type { Task2025 } from './task-2025.ts'

/**
 * A request that the server works on. Where it asks, the client's request is answered with the questions, and the client sends it
 * again with the answers: the call is suspended between the two, and the server knows nothing of that.
 */
export class OpenCall {
  /** By the keys that the client knows them by. */
  readonly #questions = new Map<string, ServerQuestion>()
  readonly isAskable: boolean
  /** The request of the client that waits for the answer; none while the call is suspended. */
  #waiting: RpcRequest | undefined
  /** What the client shows to go on with the call. */
  #state: string | undefined
  #asked = 0
  /** What it was answered with while nobody waited. */
  #outcome: RpcResponse | undefined
  /** The task of 2025-11-25 that the server made of it. */
  task: Task2025 | undefined
  #reported: JsonObject = { progress: 0 }

  constructor(readonly request: RpcRequest) {
    this.#waiting = request
    this.isAskable = isAskable(request)
  }

  get waitingId(): RpcId | undefined {
    return this.#waiting?.id
  }

  isSuspendedAs(state: unknown): boolean {
    return this.#state !== undefined && this.#state === state
  }

  canBeAsked(question: RpcRequest): boolean {
    return canAnswer(this.#waiting ?? this.request, question)
  }

  ask({ id, method, params = {} }: RpcRequest): void {
    const kind = method.split('/')[0]
    this.#questions.set(`${kind}-${++this.#asked}`, { id, method, params })
  }

  /** The server no longer wants an answer. */
  withdraw(questionId: RpcId): void {
    for (const [key, { id }] of this.#questions) if (id === questionId) this.#questions.delete(key)
  }

  /** The answer that puts all open questions to the client; nothing where there is none, or nobody to tell. */
  suspend(): RpcResponse | undefined {
    if (!this.#waiting || this.#questions.size === 0) return undefined
    const { id } = this.#waiting
    this.#waiting = undefined
    this.#state = randomBytes(16).toString('hex')
    const inputRequests = Object.fromEntries(
      [...this.#questions].map(([key, question]) => [key, toInputRequest(question)]),
    )
    return result(id, { resultType: 'input_required', inputRequests, requestState: this.#state })
  }

  /**
   * The client sends its request again. Gives the answers for the server.
   * @throws InvalidArgument for what is no answer; the call stays suspended then
   */
  resume(request: RpcRequest, given: JsonObject): RpcResponse[] {
    const answered = [...this.#questions].filter(([key]) => Object.hasOwn(given, key))
    const answers = answered.map(([key, question]) =>
      result(question.id, toAnswer(key, question, given[key])),
    )
    for (const [key] of answered) this.#questions.delete(key)
    this.#waiting = request
    this.#state = undefined
    return answers
  }

  /** The server has answered. Gives the answer for the client that waits for it, if one does. */
  settle(response: RpcResponse): RpcResponse | undefined {
    this.#questions.clear()
    this.#outcome = response
    return this.outcome()
  }

  outcome(): RpcResponse | undefined {
    if (!this.#outcome || !this.#waiting) return undefined
    const { id } = this.#waiting
    return { ...this.#outcome, id }
  }

  get isSettled(): boolean {
    return this.#outcome !== undefined
  }

  /** Whether a progress token is that of this call, as the server knows it. */
  hasToken(token: unknown): boolean {
    return token !== undefined && token === progressTokenOf(this.request.params)
  }

  /** Progress as the request that waits now is told of it. */
  progress(params: JsonObject): RpcNotification | undefined {
    const { message: _, ...reported } = params
    this.#reported = reported
    const progressToken = metaOf(this.#waiting?.params).progressToken
    if (progressToken === undefined) return undefined
    return notification('notifications/progress', { ...params, progressToken })
  }

  /** What the server says of its task, as progress: as far as it was. */
  statusProgress(message: string): RpcNotification | undefined {
    const progress = (toNumber(this.#reported.progress) ?? 0) + MESSAGE_STEP
    return this.progress({ ...this.#reported, progress, message })
  }

  /** The ids of what the server still waits for. */
  openQuestions(): RpcId[] {
    return [...this.#questions.values()].map(({ id }) => id)
  }
}
