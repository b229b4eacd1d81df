import type { Progress } from '../../core/entry.ts'
import type { InputRequest } from '../../core/question.ts'
import type { AsyncTaskResponse } from '../../core/response.ts'
import type { TaskInfo } from '../../flow/operate/task-info.ts'

import { boundedError, boundedMessage } from '../error-limit.ts'

/** How an entry looks as a task of MCP: one reading of it, two spellings. Pure. */

export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'

/** A task of the extension `io.modelcontextprotocol/tasks`. */
export type ExtensionTask = {
  readonly taskId: string
  readonly status: TaskStatus
  readonly statusMessage?: string
  readonly createdAt: string
  readonly lastUpdatedAt: string
  readonly ttlMs: number | null
  readonly pollIntervalMs?: number
}

/** A task of the protocol revision 2025-11-25. */
export type CoreTask = Omit<ExtensionTask, 'ttlMs' | 'pollIntervalMs'> & {
  readonly ttl: number | null
  readonly pollInterval?: number
}

type Unsettled = AsyncTaskResponse & { status: 'pending' | 'processing' }

/** There `failed` is for errors of JSON-RPC alone; a tool that failed has completed, with `isError` in its result. */
export function toExtensionTask(info: TaskInfo): ExtensionTask {
  const { pollMs, ttl, ...task } = read(info)
  const failedTool = task.status === 'failed' && !rpcErrorOf(info)
  const { statusMessage: _, ...untold } = task
  return {
    ...(failedTool ? { ...untold, status: 'completed' as const } : task),
    ttlMs: ttl,
    ...(pollMs === undefined ? {} : { pollIntervalMs: pollMs }),
  }
}

/** There `failed` says that the tool failed, in whatever way, and why stands in the message. */
export function toCoreTask(info: TaskInfo): CoreTask {
  const { pollMs, ttl, ...task } = read(info)
  return { ...task, ttl, ...(pollMs === undefined ? {} : { pollInterval: pollMs }) }
}

/** The error of JSON-RPC that a task ended with, if it did. */
export function rpcErrorOf({ response }: TaskInfo) {
  if (response.status !== 'failed' || !response.errorRpc) return undefined
  return boundedError({ ...response.errorRpc, message: response.error ?? 'The task failed.' })
}

/** What the task waits for, as far as the asker may answer it. */
export function inputRequestsOf({ response }: TaskInfo): Readonly<Record<string, InputRequest>> | undefined {
  if (!isUnsettled(response)) return undefined
  const { inputRequests } = response
  if (!inputRequests || Object.keys(inputRequests).length === 0) return undefined
  return Object.fromEntries(
    Object.entries(inputRequests).map(([key, request]) => [key, withShortMessage(request)]),
  )
}

function withShortMessage(request: InputRequest): InputRequest {
  const { message } = request.params
  if (typeof message !== 'string') return request
  return { ...request, params: { ...request.params, message: boundedMessage(message) } }
}

export function isSettled({ response }: TaskInfo): boolean {
  return !isUnsettled(response)
}

/** What two readings of a task have to differ in to be worth telling: not in what only the clock changes. */
export function gist(info: TaskInfo): string {
  const { response } = info
  const progress = response.status === 'complete' ? undefined : response.progress
  return JSON.stringify([response.status, progress, Object.keys(inputRequestsOf(info) ?? {})])
}

function read(info: TaskInfo) {
  const { response, createdAt, updatedAt, expiresAt } = info
  const message = messageOf(info)
  return {
    taskId: response.refId,
    status: statusOf(info),
    ...(message === undefined ? {} : { statusMessage: message }),
    createdAt: createdAt.toISOString(),
    lastUpdatedAt: updatedAt.toISOString(),
    ttl: expiresAt === undefined ? null : Math.max(0, expiresAt.getTime() - createdAt.getTime()),
    pollMs: isUnsettled(response) ? pollInterval(response) : undefined,
  }
}

function statusOf(info: TaskInfo): TaskStatus {
  const { status } = info.response
  if (status === 'complete') return 'completed'
  if (status === 'failed' || status === 'cancelled') return status
  return inputRequestsOf(info) ? 'input_required' : 'working'
}

function messageOf(info: TaskInfo): string | undefined {
  const { response } = info
  if (response.status === 'complete') return undefined
  if (response.status === 'failed') return response.error && boundedError({ text: response.error }).text
  if (response.status === 'cancelled') return 'The task was cancelled.'
  if (inputRequestsOf(info)) return 'Waiting for an answer.'
  const { progress, etaSeconds } = response
  const parts = [progress && shown(progress), etaSeconds === undefined ? undefined : left(etaSeconds)]
  return parts.filter(part => part !== undefined).join('; ') || undefined
}

/** The words of the handler, else its numbers. */
function shown({ message, current, total }: Progress): string | undefined {
  if (message !== undefined) return boundedMessage(message)
  if (current === undefined) return undefined
  return total === undefined ? `${current}` : `${current} of ${total}`
}

function left(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds))
  return whole < 120 ? `about ${whole} s left` : `about ${Math.round(whole / 60)} min left`
}

const MIN_POLL_MS = 500
const MAX_POLL_MS = 15_000

/** A fifth of the time that is left, where that is known: as for polls of references, but finer. */
function pollInterval({ etaSeconds, pollAfterSeconds }: Unsettled): number {
  const seconds = etaSeconds === undefined ? (pollAfterSeconds ?? 1) : etaSeconds / 5
  return Math.round(Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, seconds * 1000)))
}

function isUnsettled(response: TaskInfo['response']): response is Unsettled {
  return response.status === 'pending' || response.status === 'processing'
}
