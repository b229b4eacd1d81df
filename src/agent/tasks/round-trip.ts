import type { JsonObject } from '../../core/json.ts'
import type { RefId } from '../../core/ref.ts'
import type { Task } from './task.ts'

/**
 * A call that asks before it has become a task is answered with its questions, and made again with the answers (multi round-trip
 * requests of 2026-07-28). The key of each question says which entry asks, so the repeated call goes on with the work that waits.
 */

/** The questions of a task as the answer to its call. Nothing where it asks nothing. */
export function inputRequired({ taskId, inputRequests }: Task): JsonObject | undefined {
  if (!inputRequests) return undefined
  const requests = Object.entries(inputRequests).map(([key, request]) => [`${taskId}${MARK}${key}`, request])
  return {
    resultType: 'input_required',
    inputRequests: Object.fromEntries(requests) as unknown as JsonObject,
  }
}

const MARK = '/'

/** Answers to the questions of one entry. */
export interface Answered {
  readonly refId: RefId
  readonly answers: Readonly<Record<string, unknown>>
}

/** What a repeated call answers; nothing where it answers no entry. */
export function answeredIn(
  inputResponses: unknown,
  isOurs: (refId: string) => boolean,
): Answered | undefined {
  const entries = Object.entries((inputResponses ?? {}) as object).map(([key, answer]) => {
    const mark = key.lastIndexOf(MARK)
    return { refId: key.slice(0, Math.max(mark, 0)), key: key.slice(mark + 1), answer }
  })
  const refId = entries.find(entry => isOurs(entry.refId))?.refId
  if (refId === undefined) return undefined
  const own = entries.filter(entry => entry.refId === refId)
  return { refId, answers: Object.fromEntries(own.map(({ key, answer }) => [key, answer])) }
}
