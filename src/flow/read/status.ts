import { type Actor, isDescribed } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import { toDate } from '../../core/clock.ts'
import {
  type CancelledEntry,
  type Entry,
  type FailedEntry,
  type InFlightEntry,
  isInFlight,
  type Progress,
} from '../../core/entry.ts'
import { ProtocolFailure, type RefCacheError, TaskFailed } from '../../core/errors.ts'
import { etaFromHistory, etaSeconds } from '../../core/eta.ts'
import { tell } from '../../core/listener.ts'
import { type InputRequest, unanswered } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { AsyncTaskResponse } from '../../core/response.ts'
import { canRetry } from '../../core/retry-policy.ts'
import type { Tool } from '../../core/tool.ts'
import type { ResponseFormat } from '../../core/tool-options.ts'
import type { Engine } from '../engine.ts'
import { availableFields } from './appended.ts'

type TaskEntry = InFlightEntry | FailedEntry | CancelledEntry

/**
 * The answer for a task that has no value (yet). Authorized by `reply`.
 * @param appended what has appended for it: another one, where it follows that
 */
export function describeTask(
  engine: Engine,
  entry: TaskEntry,
  who: Actor,
  format: ResponseFormat | undefined,
  appended: Pick<Entry, 'appended'> = entry,
): AsyncTaskResponse {
  const tool = engine.tools.get(entry.toolName ?? '')
  const detail = format ?? tool?.responseFormat ?? 'standard'
  // What a handler says in words may hold what it worked on: only for those who may see that.
  const hears = engine.access.canReadMessages(entry, who)
  const fields = {
    refId: entry.refId,
    isComplete: false,
    ...(detail === 'minimal' ? {} : taskFields(engine, entry, hears)),
    ...(detail === 'minimal' ? {} : availableFields(engine, entry, appended, who)),
    ...(detail === 'full' ? fullFields(entry, tool, hears) : {}),
  } as const
  if (isInFlight(entry)) {
    const more = detail === 'minimal' ? {} : inFlightFields(engine, entry, who, hears)
    return withHint({ ...fields, status: entry.status, isAsync: true, ...more })
  }
  const more = detail === 'minimal' ? {} : settledFields(entry, hears)
  return withHint({ ...fields, ...outcomeOf(entry, hears), ...more })
}

/** Says that there is something to read already. */
function withHint(response: AsyncTaskResponse): AsyncTaskResponse {
  const { available = 0, message } = response
  if (available === 0 || message === undefined) return response
  return { ...response, message: `${message} ${response.isAsync ? READABLE : LEFT}` }
}

const READABLE = 'What is there so far can be read by pages (page: 1, 2, …).'
const LEFT = 'What it had until then can be read by pages (page: 1, 2, …).'

function taskFields(engine: Engine, entry: TaskEntry, hears: boolean) {
  const progress = progressOf(entry, hears)
  const startedAt = entry.status === 'pending' ? undefined : entry.startedAt
  return {
    ...(entry.toolName === undefined ? {} : { tool: engine.toolLabel(entry.toolName) }),
    ...(entry.retryOf === undefined ? {} : { retryOf: entry.retryOf }),
    ...(startedAt === undefined ? {} : { startedAt: toDate(startedAt) }),
    ...(progress ? { progress } : {}),
  }
}

function fullFields(entry: TaskEntry, tool: Tool | undefined, hears: boolean) {
  const { retryHistory } = entry
  const inFlight = isInFlight(entry)
  return {
    // Of a task that has ended they are there in every format.
    ...(inFlight ? { ...(hears ? retriesOf(entry) : {}), canRetry: false } : {}),
    isCancellable: inFlight,
    ...(retryHistory.length > 0 && hears ? { retryHistory } : {}),
    // Whoever made the schema may have made it from what the tool works on.
    ...(tool?.outputSchema && hears ? { expectedSchema: tool.outputSchema } : {}),
  }
}

/** How far a task is; in words only for those who may hear them. */
function progressOf(entry: Entry, hears: boolean): Progress | undefined {
  if (entry.status === 'pending' || !entry.progress) return undefined
  const { message, ...numbers } = entry.progress
  return hears ? entry.progress : numbers
}

/** What tells one caller of progress while it waits. */
export interface ProgressHearer {
  /** The caller's wait has come to a changed entry. */
  saw(entry: Entry): void
  end(): void
}

/**
 * Tells whoever waits of each report where the task runs in this process, else of what its entry says. In words only where those
 * may be seen. A listener that throws harms nothing.
 */
export function hearProgress(
  engine: Engine,
  refId: RefId,
  who: Actor,
  onProgress: (progress: Progress) => unknown,
): ProgressHearer {
  let hearsReports = false
  const tellOf = (entry: Entry) => {
    const progress = progressOf(entry, engine.access.canReadMessages(entry, who))
    if (progress && engine.access.may(entry, who, READ_OR_EXECUTE)) tell(onProgress, progress)
  }
  const end = engine.progress.add(refId, entry => {
    hearsReports = true
    tellOf(entry)
  })
  const saw = (entry: Entry) => {
    // What the entry says of a task that runs here has been told, and may be older.
    if (!hearsReports || !engine.running.has(refId)) tellOf(entry)
  }
  return { saw, end }
}

/** A failed task as an error for `who`. */
export function taskFailed(engine: Engine, { error, ...entry }: FailedEntry, who: Actor): RefCacheError {
  const hears = engine.access.canReadMessages(entry, who)
  if (!hears) return new TaskFailed(REDACTED)
  const thrown = engine.errors.of(entry)
  const options = { code: error.code, ...(thrown === undefined ? {} : { cause: thrown }) }
  if (error.rpc) return new ProtocolFailure(error.message, error.rpc, options)
  return new TaskFailed(error.message, options)
}

const REDACTED =
  'The tool failed. What it said is private, like what it worked on. If it does not take such values, pass another reference.'

function inFlightFields(engine: Engine, entry: InFlightEntry, who: Actor, hears: boolean) {
  const now = engine.clock.now()
  const eta = estimate(entry, now)
  const inputRequests = inputRequestsFor(engine, entry, who)
  return {
    ...eta,
    pollAfterSeconds: pollAfter(eta.etaSeconds, (now - entry.createdAt) / 1000),
    // Retries are worth a word only where there were any.
    ...(entry.retryHistory.length > 0 && hears ? retriesOf(entry) : {}),
    ...(inputRequests ? { inputRequests } : {}),
    message: awaitsInput(entry) ? WAITING : RUNNING,
  }
}

/**
 * The retries that were made or are about to be made. Whether a failure is worth a retry tells of what kind it is, so
 * this is for those who may hear the words.
 */
function retriesOf({ status, attempt, retryHistory, maxRetries }: InFlightEntry) {
  const began = status === 'pending' ? attempt : attempt - 1
  return { retryCount: retryHistory.length === 0 ? 0 : began, maxRetries }
}

const RUNNING =
  'Still running; nothing is lost. Call get_cached_result with this ref_id: it waits for the result. Do not start the work again.'

const WAITING =
  'Waiting for input: the task goes on when whoever started it has answered its question. get_cached_result with this ref_id waits for the result. Do not start the work again.'

/** From the task's own progress where it tells, else from earlier runs of its tool. */
function estimate(entry: InFlightEntry, now: number): { etaSeconds?: number; etaBasis?: 'history' } {
  if (entry.status === 'pending') return {}
  const elapsed = Math.max(0, now - entry.startedAt)
  const own = etaSeconds(entry.progress, elapsed, entry.pace)
  if (own !== undefined) return { etaSeconds: own }
  // What reports progress without a total has its own way of ending.
  const past =
    entry.progress?.current === undefined ? etaFromHistory(entry.pastDurations, elapsed) : undefined
  return past === undefined ? {} : { etaSeconds: past, etaBasis: 'history' }
}

/** A fifth of the time that is left or, where that is unknown, of the time that has passed; 1 to 15 seconds. */
function pollAfter(eta: number | undefined, elapsedSeconds: number): number {
  return Math.min(15, Math.max(1, Math.round((eta ?? elapsedSeconds) / 5)))
}

/** How a task ended without a value: in every format. */
function outcomeOf(entry: FailedEntry | CancelledEntry, hears: boolean) {
  if (entry.status === 'cancelled') return { status: 'cancelled', isAsync: false, canRetry: true } as const
  const failed = { status: 'failed', isAsync: false } as const
  // What kind of failure it was may tell of what the handler worked on, as its words may.
  if (!hears) return { ...failed, error: REDACTED, errorCode: 'task_failed', canRetry: true } as const
  const { code, rpc, message } = entry.error
  return {
    ...failed,
    error: message,
    errorCode: code,
    ...(rpc ? { errorRpc: rpc } : {}),
    canRetry: canRetry(code),
  }
}

function settledFields(entry: FailedEntry | CancelledEntry, hears: boolean) {
  const { retriedAs } = entry
  const counts = hears ? { retryCount: Math.max(0, entry.attempt - 1), maxRetries: entry.maxRetries } : {}
  if (retriedAs !== undefined) return { ...counts, retriedAs, message: RETRIED }
  if (entry.status === 'cancelled') return { ...counts, message: CANCELLED }
  const { code } = entry.error
  const message = !hears || canRetry(code) ? AGAIN : code === 'store_full' ? NO_ROOM : IN_VAIN
  return { ...counts, message }
}

const RETRIED = 'The task was tried again: call get_cached_result with the reference in retried_as.'
const CANCELLED = 'The task was cancelled. If its result is still wanted, call retry_task with this ref_id.'
const AGAIN = 'The task failed. Call retry_task with this ref_id to try once more.'
const NO_ROOM = 'The task failed: its result could not be kept. Call the tool again when there is room.'
const IN_VAIN = 'The task failed, and would fail again with the same input.'

/** Whether a task that is in flight waits for input. */
export function awaitsInput(entry: Entry): boolean {
  return isInFlight(entry) && unanswered(entry.questions).length > 0
}

/**
 * What a task waits for, as far as it is for `who` to answer: a question is in words of the handler, so it needs the
 * right to see those.
 */
export function inputRequestsFor(
  engine: Engine,
  entry: Entry,
  who: Actor,
): Readonly<Record<string, InputRequest>> | undefined {
  if (!awaitsInput(entry) || !mayAnswer(engine, entry, who)) return undefined
  return Object.fromEntries(
    unanswered(entry.questions).map(({ key, method, params }) => [key, { method, params }]),
  )
}

function mayAnswer({ access }: Engine, entry: Entry, who: Actor): boolean {
  if (!access.canReadMessages(entry, who)) return false
  return isDescribed(entry.startedBy, who) || access.may(entry, who, Permission.UPDATE)
}
