import { IdMap } from '../../agent/id-map.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { WriteEnd } from '../../flow/call/shared-runs.ts'
import type { RpcId, RpcMessage, RpcResponse } from '../rpc.ts'

const ENDED = new Set(['completed', 'failed', 'cancelled'])

/**
 * Calls that pass by the cache and may change what the server's other tools read. Each is a write until it is answered, or until
 * the task has ended that it was answered with: that one is the client's to follow, so its end is seen where it passes.
 */
export class PassingWrites {
  readonly #calls = new IdMap<WriteEnd>()
  readonly #tasks = new Map<string, WriteEnd>()

  constructor(private readonly begin: () => WriteEnd) {}

  called(id: RpcId): void {
    this.#calls.set(id, this.begin())
  }

  answered(id: RpcId, response: RpcResponse): void {
    if ('result' in response) this.saw(response.result)
    const end = this.#calls.get(id)
    this.#calls.delete(id)
    const taskId = 'result' in response ? taskOf(response.result) : undefined
    if (end && taskId !== undefined) this.#tasks.set(taskId, end)
    else end?.()
  }

  /** A result or a notification of the server passes; it may tell how a task stands. */
  saw(body: JsonObject): void {
    for (const state of [body, body.task]) {
      if (!isJsonObject(state) || !ENDED.has(String(state.status))) continue
      this.#tasks.get(String(state.taskId))?.()
      this.#tasks.delete(String(state.taskId))
    }
  }

  /** The client does not want the answer any more; what the server makes of that is not known. */
  cancelled(id: RpcId): void {
    this.#calls.get(id)?.('stopped')
    this.#calls.delete(id)
  }

  /** Nothing more will be heard of any of them. */
  lost(): void {
    for (const end of [...this.#calls.values(), ...this.#tasks.values()]) end('stopped')
    this.#calls.clear()
    this.#tasks.clear()
  }
}

/** The id of the task that a call was answered with, in either revision. */
function taskOf(result: JsonObject): string | undefined {
  const task = isJsonObject(result.task) ? result.task : result.resultType === 'task' ? result : undefined
  return typeof task?.taskId === 'string' && !ENDED.has(String(task.status)) ? task.taskId : undefined
}

/** Whether the server says that something of it is not what it was. */
export function saysChange(message: RpcMessage): boolean {
  return (
    'method' in message && /^notifications\/(?:\w+\/list_changed|resources\/updated)$/.test(message.method)
  )
}
