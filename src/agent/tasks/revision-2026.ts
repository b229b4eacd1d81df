import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { TaskCodec } from './codec.ts'
import { invalidParams } from './errors.ts'
import { inputRequired } from './round-trip.ts'
import { begun, type Task, type TaskWithResult } from './task.ts'

const DONE = { resultType: 'complete' } as const

/**
 * Tasks as the extension `io.modelcontextprotocol/tasks`. `failed` is for errors of JSON-RPC alone: a tool that failed
 * has completed, with `isError` in its result.
 */
export const revision2026: TaskCodec = {
  revision: '2026-07-28',
  read: view => view.readWithResult(),
  encode: toDetailedTask,
  notification: 'notifications/tasks',
  created: task => ({ resultType: 'task', ...toExtensionTask(begun(task)) }),
  inputRequired,
  methods: {
    'tasks/get': async view => ({ ...DONE, ...toDetailedTask(await view.readWithResult()) }),
    'tasks/update': async (view, { params }) => {
      await view.respond(responsesIn(params))
      return DONE
    },
    'tasks/cancel': async view => {
      await view.cancel()
      return DONE
    },
  },
  tellsUnasked: false,
  hasList: false,
}

/** What answers nothing is a slip: the SDK of a server makes an empty object of what is none. */
function responsesIn({ inputResponses }: JsonObject): JsonObject {
  if (isJsonObject(inputResponses) && Object.keys(inputResponses).length > 0) return inputResponses
  throw invalidParams(
    'inputResponses is an object: the key of each question that is answered, and its answer.',
  )
}

export function toExtensionTask(task: Task): JsonObject {
  const { rpcError, pollMs } = task
  const failedTool = task.status === 'failed' && !rpcError
  const message = failedTool ? undefined : task.message
  return {
    taskId: task.taskId,
    status: failedTool ? 'completed' : task.status,
    ...(message === undefined ? {} : { statusMessage: message }),
    createdAt: task.createdAt.toISOString(),
    lastUpdatedAt: task.updatedAt.toISOString(),
    ttlMs: task.ttlMs,
    ...(pollMs === undefined ? {} : { pollIntervalMs: pollMs }),
  }
}

/** The task with what it waits for, or ended with. */
function toDetailedTask(task: TaskWithResult): JsonObject {
  const { inputRequests, rpcError, result } = task
  return {
    ...toExtensionTask(task),
    ...(inputRequests ? { inputRequests: { ...inputRequests } as unknown as JsonObject } : {}),
    ...(rpcError ? { error: { ...rpcError } } : {}),
    ...(result && task.status !== 'cancelled' ? { result: { ...DONE, ...result } as JsonObject } : {}),
  }
}
