import { Changes } from '../agent/tasks/changes.ts'
import { isSettled, rpcErrorOf, toCoreTask } from '../agent/tasks/project.ts'
import { detailedTask, infoOf, resultOf, type SeenTask } from '../agent/tasks/read.ts'
import { ProtocolFailure } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'
import { onAbort } from '../core/on-abort.ts'
import { metaOf, RELATED_TASK, RpcErrorCode } from './rpc.ts'

/** Tasks as both revisions of MCP have them, of entries of the cache. */

/** What a request of the extension about a task is answered with. */
export async function answerExtension(method: string, task: SeenTask, params: JsonObject): Promise<object> {
  const { cache, refId, actor } = task
  switch (method) {
    case 'tasks/cancel':
      await cache.cancelTask(refId, { actor })
      return {}
    case 'tasks/update':
      await cache.answerTask(refId, (params.inputResponses ?? {}) as JsonObject, { actor })
      return {}
    default:
      return detailedTask(task, await infoOf(task))
  }
}

/** The same at 2025-11-25. `signal` ends the wait for a result, never the task. */
export async function answerCore(method: string, task: SeenTask, signal: AbortSignal): Promise<object> {
  switch (method) {
    case 'tasks/cancel':
      return cancelled(task)
    case 'tasks/result':
      return finalResult(task, signal)
    default:
      return toCoreTask(await infoOf(task))
  }
}

async function cancelled(task: SeenTask): Promise<object> {
  const { cache, refId, actor } = task
  const over = isSettled(await infoOf(task))
  const { status } = over ? { status: undefined } : await cache.cancelTask(refId, { actor })
  if (status !== 'cancelled') {
    throw new ProtocolFailure('The task has ended already: there is nothing to cancel.', {
      code: RpcErrorCode.invalidParams,
    })
  }
  return toCoreTask(await infoOf(task))
}

/** Waits for the end of a task, and gives what the tool call would have. */
async function finalResult(task: SeenTask, signal: AbortSignal): Promise<object> {
  const changes = await Changes.of(task)
  const wake = () => changes.tell()
  const ignore = onAbort(signal, wake)
  try {
    for (;;) {
      signal.throwIfAborted()
      const info = await infoOf(task)
      if (isSettled(info)) {
        const failure = rpcErrorOf(info)
        if (failure) throw new ProtocolFailure(failure.message, failure)
        const result = (await resultOf(task, info)) as JsonObject
        return { ...result, _meta: { ...metaOf(result), [RELATED_TASK]: { taskId: task.refId } } }
      }
      await changes.next()
    }
  } finally {
    ignore()
    changes.end()
  }
}
