import type { AnswerLimits } from '../../core/answer-limits.ts'
import type { Progress } from '../../core/entry.ts'
import { TaskFailed } from '../../core/errors.ts'
import type { InputRequest } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { AsyncTaskResponse, CallResponse } from '../../core/response.ts'
import type { TaskInfo } from '../../flow/operate/task-info.ts'
import { boundedError, boundedMessage } from '../error-limit.ts'
import { present } from '../present.ts'
import { type ToolResult, toErrorResult } from '../wire.ts'
import type { RpcError } from './errors.ts'

/** How an entry looks as a task of MCP to one actor, whatever the protocol revision. Each codec spells it. Pure. */
export interface Task {
  readonly taskId: RefId
  readonly status: TaskStatus
  readonly message?: string
  readonly createdAt: Date
  readonly updatedAt: Date
  /** How long it is kept from its beginning; null: for ever, or not known yet. */
  readonly ttlMs: number | null
  readonly pollMs?: number
  /** What it waits for, as far as the asker may answer it. */
  readonly inputRequests?: Readonly<Record<string, InputRequest>>
  /** The error of JSON-RPC that it ended with, if it did. */
  readonly rpcError?: RpcError
  /** What two readings have to differ in to be worth telling: not in what only the clock changes. */
  readonly gist: string
}

export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'

/** A task that has ended, with what the tool call would have answered, had it waited. */
export interface TaskWithResult extends Task {
  readonly result?: ToolResult
}

/** How the answer of a tool call is written, for a client of such limits. `task` says whose it is. */
export type Present = (answer: CallResponse, task: TaskInfo, limits: AnswerLimits) => ToolResult

type Unsettled = AsyncTaskResponse & { status: 'pending' | 'processing' }

export function toTask(info: TaskInfo): Task {
  const { response, createdAt, updatedAt, expiresAt } = info
  const inputRequests = inputRequestsOf(response)
  const message = messageOf(response, inputRequests)
  const rpcError = rpcErrorOf(response)
  return {
    taskId: response.refId,
    status: statusOf(response, inputRequests),
    ...(message === undefined ? {} : { message }),
    createdAt,
    updatedAt,
    ttlMs: expiresAt === undefined ? null : Math.max(0, expiresAt.getTime() - createdAt.getTime()),
    ...(isUnsettled(response) ? { pollMs: pollInterval(response) } : {}),
    ...(inputRequests ? { inputRequests } : {}),
    ...(rpcError ? { rpcError } : {}),
    gist: gistOf(response, inputRequests),
  }
}

/** A task begins as `working`, whatever became of it since: what it waits for or ended with is for `tasks/get`. */
export function begun(task: Task): Task {
  if (task.status === 'working') return task
  const { message: _, ...rest } = task
  return { ...rest, status: 'working' }
}

/** The task with the result, where the info was asked for with its answer. An error of JSON-RPC is no result. */
export function toTaskWithResult(
  info: TaskInfo,
  limits: AnswerLimits,
  present: Present = presentAnswer,
): TaskWithResult {
  const task = toTask(info)
  if (!isSettled(task) || task.rpcError) return task
  return { ...task, result: resultOf(info, (answer, about) => present(answer, about, limits)) }
}

function presentAnswer(
  answer: CallResponse,
  { hasOutputSchema }: TaskInfo,
  limits: AnswerLimits,
): ToolResult {
  return present(answer, { hasOutputSchema, limits })
}

function resultOf(info: TaskInfo, write: (answer: CallResponse, info: TaskInfo) => ToolResult): ToolResult {
  const { response, answer = response } = info
  if (response.status !== 'failed') return write(answer, info)
  if (answer.status === 'failed' && answer.errorValue !== undefined) return write(answer, info)
  const { error = 'The task failed.', errorCode: code } = response
  return toErrorResult(new TaskFailed(error, code ? { code } : {}), info)
}

export function isSettled({ status }: Task): boolean {
  return status !== 'working' && status !== 'input_required'
}

function gistOf(response: CallResponse, inputRequests: Task['inputRequests']): string {
  const { progress, available } = response.status === 'complete' ? {} : response
  return JSON.stringify([response.status, progress, available, Object.keys(inputRequests ?? {})])
}

function rpcErrorOf(response: CallResponse): RpcError | undefined {
  if (response.status !== 'failed' || !response.errorRpc) return undefined
  return boundedError({ ...response.errorRpc, message: response.error ?? 'The task failed.' })
}

function inputRequestsOf(response: CallResponse): Task['inputRequests'] {
  if (!isUnsettled(response)) return undefined
  const requests = Object.entries(response.inputRequests ?? {})
  if (requests.length === 0) return undefined
  return Object.fromEntries(requests.map(([key, request]) => [key, withShortMessage(request)]))
}

function withShortMessage(request: InputRequest): InputRequest {
  const { message } = request.params
  if (typeof message !== 'string') return request
  return { ...request, params: { ...request.params, message: boundedMessage(message) } }
}

function statusOf({ status }: CallResponse, inputRequests: Task['inputRequests']): TaskStatus {
  if (status === 'complete') return 'completed'
  if (status === 'failed' || status === 'cancelled') return status
  return inputRequests ? 'input_required' : 'working'
}

function messageOf(response: CallResponse, inputRequests: Task['inputRequests']): string | undefined {
  if (response.status === 'complete') return undefined
  if (response.status === 'failed') return response.error && boundedError({ text: response.error }).text
  if (response.status === 'cancelled') return 'The task was cancelled.'
  if (inputRequests) return 'Waiting for an answer.'
  const { progress, etaSeconds, available } = response
  const parts = [
    progress && progressText(progress),
    available === undefined ? undefined : `${available} there so far`,
    etaSeconds === undefined ? undefined : timeLeft(etaSeconds),
  ]
  return parts.filter(part => part !== undefined).join('; ') || undefined
}

/** The words of the handler, else its numbers. */
function progressText({ message, current, total }: Progress): string | undefined {
  if (message !== undefined) return boundedMessage(message)
  if (current === undefined) return undefined
  return total === undefined ? `${current}` : `${current} of ${total}`
}

function timeLeft(seconds: number): string {
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

function isUnsettled(response: CallResponse): response is Unsettled {
  return response.status === 'pending' || response.status === 'processing'
}
