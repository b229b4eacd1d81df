import type { Clock } from '../../core/clock.ts'
import type { TaskInfo } from '../../flow/operate/task-info.ts'
import { capabilitiesIn, declaresExtension } from './capabilities.ts'
import { invalidParams, type RpcError, tasksNotDeclared, toRpcError } from './errors.ts'
import { type Following, followTask } from './follow.ts'
import { inquire } from './inquiry.ts'
import { detailedTask, type SeenTask } from './read.ts'

/**
 * Notifications of tasks on `subscriptions/listen` (2026-07-28): what the wrappers of HTTP handlers and of stdio
 * transports have in common. The SDK serves the rest of such a subscription, and never hears of the tasks in it.
 */

/** Where a notification says to which subscription it belongs. */
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

/** Whoever wants to know of more tasks than that asks twice. */
const MAX_TASKS = 100

export type RequestId = string | number

/** A `subscriptions/listen` that names tasks. */
export interface ListenRequest {
  readonly jsonrpc: '2.0'
  readonly id: RequestId
  readonly method: 'subscriptions/listen'
  readonly params: {
    readonly _meta?: Readonly<Record<string, unknown>>
    readonly notifications: { readonly taskIds: unknown }
  }
}

export interface WireMessage {
  readonly jsonrpc: '2.0'
  readonly id?: RequestId
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: RpcError
}

export function isTaskListen(message: unknown): message is ListenRequest {
  const { method, id, params } = (message ?? {}) as Partial<ListenRequest>
  if (method !== 'subscriptions/listen' || (typeof id !== 'string' && typeof id !== 'number')) return false
  return params?.notifications?.taskIds !== undefined
}

/** The request as the SDK may see it. */
export function withoutTasks({ params, ...request }: ListenRequest): WireMessage {
  const { taskIds: _, ...notifications } = params.notifications
  return { ...request, params: { ...params, notifications } }
}

/** Why a request cannot be served, if so. */
export function refusalOf({ params }: ListenRequest): RpcError | undefined {
  const { taskIds } = params.notifications
  if (!declaresExtension(capabilitiesIn(params._meta))) return toRpcError(tasksNotDeclared())
  const valid = Array.isArray(taskIds) && taskIds.every(id => typeof id === 'string')
  if (valid && taskIds.length <= MAX_TASKS) return undefined
  return toRpcError(invalidParams(`taskIds is a list of at most ${MAX_TASKS} strings.`))
}

/** The client's request for one of the tasks, as the client itself would make it. */
export function taskRequest({ params }: ListenRequest, id: string, taskId: string): WireMessage {
  return { jsonrpc: '2.0', id, method: 'tasks/get', params: { _meta: params._meta, taskId } }
}

/** Those of the tasks that the client may follow; which those are, the server itself says. */
export async function readable(
  request: ListenRequest,
  send: (message: WireMessage, taskId: string) => Promise<unknown>,
): Promise<SeenTask[]> {
  const taskIds = new Set(request.params.notifications.taskIds as string[])
  const found = await Promise.all(
    [...taskIds].map(taskId => inquire(id => send(taskRequest(request, id, taskId), taskId))),
  )
  return found.filter(task => task !== undefined)
}

/** Whether a message is the SDK's acknowledgement of that request. */
export function isAcknowledgement({ method, params }: WireMessage, id: RequestId): boolean {
  if (method !== 'notifications/subscriptions/acknowledged') return false
  const meta = params?._meta as Readonly<Record<string, unknown>> | undefined
  return meta?.[SUBSCRIPTION_ID] === id
}

export function withTasks(acknowledgement: WireMessage, tasks: readonly SeenTask[]): WireMessage {
  if (tasks.length === 0) return acknowledgement
  const { notifications, ...params } = acknowledgement.params ?? {}
  const taskIds = tasks.map(({ refId }) => refId)
  return {
    ...acknowledgement,
    params: { ...params, notifications: { ...(notifications as object), taskIds } },
  }
}

/** Sends a notification for each change of the tasks, and for how they stand at the beginning. */
export function notifyOf(
  tasks: readonly SeenTask[],
  subscriptionId: RequestId,
  send: (message: WireMessage) => Promise<void> | void,
  clock?: Clock,
): Following {
  const followings = tasks.map(task => {
    const tell = async (info: TaskInfo) => {
      const _meta = { [SUBSCRIPTION_ID]: subscriptionId }
      const params = { ...(await detailedTask(task, info)), _meta }
      await send({ jsonrpc: '2.0', method: 'notifications/tasks', params })
    }
    return followTask(task, tell, clock)
  })
  return {
    over: Promise.all(followings.map(({ over }) => over)).then(() => {}),
    end() {
      for (const following of followings) following.end()
    },
  }
}
