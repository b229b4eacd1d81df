import type { Actor } from '../../access/actor.ts'
import { PermissionDenied, TaskFailed } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { TaskInfo } from '../../flow/operate/task-info.ts'
import type { RefCache } from '../../ref-cache.ts'
import { toErrorResult, toToolResult } from '../wire.ts'
import { type ExtensionTask, inputRequestsOf, rpcErrorOf, toExtensionTask } from './project.ts'

/** A task as one actor sees it. Everything that is read through it is authorized as a poll of that actor. */
export interface SeenTask {
  readonly cache: RefCache
  readonly refId: RefId
  readonly actor: Actor
  /** What the tool call would have answered with its value. @defaultValue the answer of `get_cached_result` */
  readonly present?: (response: CallResponse) => Promise<Answer>
}

/** A CallToolResult. */
type Answer = Readonly<Record<string, unknown>>

export function infoOf({ cache, refId, actor }: SeenTask): Promise<TaskInfo> {
  return cache.taskInfo(refId, { actor })
}

/** A task of the extension with all that `tasks/get` says of it. */
export type DetailedTask = ExtensionTask & {
  readonly inputRequests?: object
  readonly result?: Answer
  readonly error?: JsonObject
}

export async function detailedTask(seen: SeenTask, info: TaskInfo): Promise<DetailedTask> {
  const task = toExtensionTask(info)
  switch (task.status) {
    case 'input_required':
      return { ...task, inputRequests: { ...inputRequestsOf(info) } }
    case 'failed':
      return { ...task, error: { ...rpcErrorOf(info) } as JsonObject }
    case 'completed':
      return { ...task, result: { resultType: 'complete', ...(await resultOf(seen, info)) } }
    default:
      return task
  }
}

/** What the tool call would have answered, had it waited. For a task that has settled, and not with an error of JSON-RPC. */
export async function resultOf({ cache, refId, actor, present }: SeenTask, info: TaskInfo): Promise<Answer> {
  const { response } = info
  if (response.status === 'failed') {
    const failed = await cache.get(refId, { actor })
    const shown = failed.status === 'failed' && failed.errorValue !== undefined
    if (shown) return present ? present(failed) : toToolResult(failed)
    return toErrorResult(
      new TaskFailed(
        response.error ?? 'The task failed.',
        response.errorCode ? { code: response.errorCode } : {},
      ),
      info,
    )
  }
  if (response.status !== 'complete') return toToolResult(response)
  try {
    const whole = await cache.get(refId, { actor })
    return present ? await present(whole) : toToolResult(whole)
  } catch (error) {
    // A value that may be used but not seen: the call would have been given the bare reference.
    if (error instanceof PermissionDenied) return toToolResult(response)
    throw error
  }
}
