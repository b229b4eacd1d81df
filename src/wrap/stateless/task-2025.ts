import type { Clock } from '../../core/clock.ts'
import { toNumber } from '../../core/exact-number.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { failure, RpcErrorCode, type RpcFailure, type RpcId, type RpcResponse, result } from '../rpc.ts'
import { unrelated } from '../upstream/task.ts'

const POLL_MS = { least: 100, unsaid: 1_000, most: 15_000 }

export interface Task2025Options {
  readonly clock: Clock
  ask(method: string, params: JsonObject): Promise<RpcResponse>
  /** The server says how its task stands. */
  onStatus(message: string): void
}

/** The task that a server of 2025-11-25 made of a call. Our client knows nothing of it: it gets the result. */
export class Task2025 {
  #told: string | undefined
  #ended = false
  #endPause = () => {}

  /** @param created what the call was answered with */
  static madeFrom({ task }: JsonObject, options: Task2025Options): Task2025 | undefined {
    if (!isJsonObject(task) || typeof task.taskId !== 'string') return undefined
    return new Task2025(task.taskId, task, options)
  }

  private constructor(
    readonly taskId: string,
    private readonly created: JsonObject,
    private readonly options: Task2025Options,
  ) {}

  /** The answer to the call. Does not reject. */
  async outcome(requestId: RpcId): Promise<RpcResponse> {
    this.#pollAfter(this.created)
    try {
      const response = await this.options.ask('tasks/result', { taskId: this.taskId })
      this.end()
      if ('result' in response) return result(requestId, unrelated(response.result))
      return await this.#failed(requestId, response)
    } catch (error) {
      const { message } = error as Error
      return failure(requestId, { code: RpcErrorCode.upstreamLost, message })
    } finally {
      this.end()
    }
  }

  /** The server tells of a task, asked or not. */
  heard({ taskId, statusMessage }: JsonObject): void {
    if (this.#ended || taskId !== this.taskId) return
    if (typeof statusMessage !== 'string' || statusMessage === this.#told) return
    this.#told = statusMessage
    this.options.onStatus(statusMessage)
  }

  /** Asks the server no more. */
  end(): void {
    this.#ended = true
    this.#endPause()
  }

  #pollAfter(state: JsonObject): void {
    this.heard(state)
    if (this.#ended) return
    const wanted = toNumber(state.pollInterval) ?? POLL_MS.unsaid
    const pause = Math.min(Math.max(wanted, POLL_MS.least), POLL_MS.most)
    this.#endPause = this.options.clock.schedule(pause, () => void this.#poll(), 'background')
  }

  async #poll(): Promise<void> {
    const { taskId } = this
    // Where it cannot say, the result is waited for all the same.
    const response = await this.options.ask('tasks/get', { taskId }).catch(() => undefined)
    this.#pollAfter(response && 'result' in response ? response.result : {})
  }

  /** Many servers keep nothing of a task that failed but the message: then that is what went wrong. */
  async #failed(requestId: RpcId, response: RpcFailure): Promise<RpcResponse> {
    const state = await this.options.ask('tasks/get', { taskId: this.taskId }).catch(() => undefined)
    const { status, statusMessage } = state && 'result' in state ? state.result : {}
    const why = status === 'failed' && typeof statusMessage === 'string' ? statusMessage : ''
    if (response.error.message.includes(why)) return { ...response, id: requestId }
    return result(requestId, { content: [{ type: 'text', text: why }], isError: true })
  }
}
