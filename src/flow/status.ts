import type { Actor } from '../access/actor.ts'
import { may } from '../access/authorize.ts'
import { Permission } from '../access/permission.ts'
import type { CancelledEntry, Entry, FailedEntry, InFlightEntry, Progress } from '../core/entry.ts'
import type { ErrorCode } from '../core/errors.ts'
import { etaSeconds } from '../core/eta.ts'
import type { AsyncTaskResponse } from '../core/response.ts'
import type { ResponseFormat } from '../core/tool.ts'
import type { Engine } from './engine.ts'

type TaskEntry = InFlightEntry | FailedEntry | CancelledEntry

/** Trying again with the same input can only end the same way. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_argument',
  'not_serializable',
  'circular_reference',
  'value_too_large',
])

/** The answer for a task that has no value (yet). Authorized by `reply`. */
export function describeTask(
  engine: Engine,
  entry: TaskEntry,
  who: Actor,
  format: ResponseFormat | undefined,
): AsyncTaskResponse {
  const tool = engine.tools.get(entry.toolName ?? '')
  const { refId, status } = entry
  const minimal = { refId, status, isComplete: false, isAsync: true } as const
  const detail = format ?? tool?.responseFormat ?? 'standard'
  if (detail === 'minimal') return minimal
  // What a handler says in words may hold what it worked on: only for those who may see the value.
  const sees = may(entry, who, Permission.READ)
  const progress = progressFor(entry, who)
  const startedAt = entry.status === 'pending' ? undefined : entry.startedAt
  return {
    ...minimal,
    ...(startedAt === undefined ? {} : { startedAt: new Date(startedAt) }),
    ...(progress ? { progress } : {}),
    ...(entry.status === 'failed' || entry.status === 'cancelled'
      ? ended(entry, sees)
      : flying(engine, entry)),
    ...(detail === 'full' && entry.retryHistory.length > 0 && sees
      ? { retryHistory: entry.retryHistory }
      : {}),
    ...(detail === 'full' && tool?.outputSchema ? { expectedSchema: tool.outputSchema } : {}),
  }
}

/** How far a task is, for `who`: the words of a handler only where the value may be seen. */
export function progressFor(entry: Entry, who: Actor): Progress | undefined {
  if (entry.status === 'pending' || !entry.progress) return undefined
  const { message, ...numbers } = entry.progress
  return may(entry, who, Permission.READ) ? entry.progress : numbers
}

function flying(engine: Engine, entry: InFlightEntry) {
  const now = engine.clock.now()
  const eta = entry.status === 'processing' ? etaSeconds(entry.progress, entry.startedAt, now) : undefined
  return {
    ...(eta === undefined ? {} : { etaSeconds: eta }),
    pollAfterSeconds: pollAfter(eta, (now - entry.createdAt) / 1000),
    message:
      'Still running; nothing is lost. Call get_cached_result with this ref_id: it waits for the result. Do not start the work again.',
  }
}

/** A fifth of the time that is left or, where that is unknown, of the time that has passed; 1 to 15 seconds. */
function pollAfter(eta: number | undefined, elapsedSeconds: number): number {
  return Math.min(15, Math.max(1, Math.round((eta ?? elapsedSeconds) / 5)))
}

function ended(entry: FailedEntry | CancelledEntry, sees: boolean) {
  const retryCount = Math.max(0, entry.attempt - 1)
  const counts = { retryCount, maxRetries: entry.maxRetries }
  if (entry.status === 'cancelled') {
    return {
      ...counts,
      canRetry: true,
      message: 'The task was cancelled. Call the tool again if the result is still wanted.',
    }
  }
  const { code, message } = entry.error
  const canRetry = !FINAL.has(code)
  return {
    ...counts,
    error: sees ? message : 'The task failed.',
    errorCode: code,
    canRetry,
    message: canRetry
      ? 'The task failed. Call the tool again to try once more.'
      : 'The task failed, and would fail again with the same input.',
  }
}
