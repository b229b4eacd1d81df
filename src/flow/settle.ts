import type { Progress, TaskError } from '../core/entry.ts'
import { RefCacheError } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'

const MAX_ERROR_LENGTH = 2_000

/** How a handler ended: with the encoded value and how long that is kept, or with an error. */
export type Outcome = { value: Uint8Array; ttl: number | undefined } | { error: unknown }

/** Moves a task to its end. Refused, and its outcome discarded, when the lease is no longer `owner`'s. */
export async function settle(
  engine: Engine,
  refId: RefId,
  owner: string,
  outcome: Outcome,
  progress: Progress | undefined,
): Promise<void> {
  const now = engine.clock.now()
  if ('value' in outcome) {
    const expiresAt = expiry(now, outcome.ttl)
    // A finished task is never run again: its input goes.
    const parts = { value: outcome.value, input: undefined }
    await change(engine, refId, { type: 'complete', owner, now, expiresAt, progress }, parts)
  } else {
    const expiresAt = expiry(now, engine.settings.taskRetention)
    const error = toTaskError(outcome.error)
    await change(engine, refId, { type: 'fail', owner, now, expiresAt, progress, error })
  }
}

export function expiry(now: number, ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : now + ttl
}

/** What of an error is kept: its code and message, never its stack. */
function toTaskError(error: unknown): TaskError {
  const message = error instanceof Error ? error.message : String(error)
  return {
    code: error instanceof RefCacheError ? error.code : 'task_failed',
    message: message.slice(0, MAX_ERROR_LENGTH) || 'The tool failed without a message.',
  }
}
