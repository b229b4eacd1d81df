import { ProtocolFailure } from '../../core/errors.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { startedAsTask } from '../instructions.ts'
import type { TaskCodec } from './codec.ts'
import { invalidParams } from './errors.ts'
import { RELATED_TASK, waitForEnd } from './questions.ts'
import { begun, isSettled, type Task, type TaskWithResult } from './task.ts'
import type { TaskView } from './view.ts'

/** Where the client finds what to tell its model at once. */
const IMMEDIATE_RESPONSE = 'io.modelcontextprotocol/model-immediate-response'

/** Tasks in the core of the protocol. `failed` says that the tool failed, in whatever way; why stands in the message. */
export const revision2025: TaskCodec = {
  revision: '2025-11-25',
  read: view => view.read(),
  encode: toCoreTask,
  notification: 'notifications/tasks/status',
  created: (task, { nameTools }) => ({
    task: toCoreTask(begun(task)),
    content: [],
    _meta: { [IMMEDIATE_RESPONSE]: nameTools(startedAsTask(task.taskId)) },
  }),
  methods: {
    'tasks/get': async view => toCoreTask(await view.read()),
    'tasks/cancel': cancel,
    'tasks/result': async (view, request) => toResult(await waitForEnd(view, request)),
  },
  tellsUnasked: true,
  hasList: true,
}

export function toCoreTask(task: Task): JsonObject {
  return {
    taskId: task.taskId,
    status: task.status,
    ...(task.message === undefined ? {} : { statusMessage: task.message }),
    createdAt: task.createdAt.toISOString(),
    lastUpdatedAt: task.updatedAt.toISOString(),
    ttl: task.ttlMs,
    ...(task.pollMs === undefined ? {} : { pollInterval: task.pollMs }),
  }
}

/** What has ended already cannot be cancelled. */
async function cancel(view: TaskView): Promise<JsonObject> {
  const wasSettled = isSettled(await view.read())
  const status = wasSettled ? undefined : (await view.cancel()).status
  if (status !== 'cancelled') throw invalidParams('The task has ended already: there is nothing to cancel.')
  return toCoreTask(await view.read())
}

function toResult({ taskId, rpcError, result = { content: [] } }: TaskWithResult): JsonObject {
  if (rpcError) throw new ProtocolFailure(rpcError.message, rpcError)
  const { _meta } = result
  return {
    ...result,
    _meta: { ...(isJsonObject(_meta) ? _meta : {}), [RELATED_TASK]: { taskId } },
  } as JsonObject
}
