import { isJsonObject, type JsonValue } from '../../core/json.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Done } from '../api.ts'
import { invalid } from './http.ts'
import { toRow } from './rows.ts'
import type { Opened, Sight } from './sight.ts'

/** What is done by the page, each by the cache, which decides whether it may be. @throws NotFound, PermissionDenied, InvalidArgument */
export const ACTIONS: Readonly<Record<string, (sight: Sight, body: JsonValue) => Promise<Done>>> = {
  cancel: async (sight, body) => {
    const ref = refIn(body)
    const { cache, actor } = await sight.open(ref)
    const answer = await cache.cancelTask(ref, { actor })
    return done(sight, ref, answer.status === 'cancelled' ? 'Cancelled.' : hadEnded(answer))
  },

  retry: async (sight, body) => {
    const ref = refIn(body)
    const { cache, actor } = await sight.open(ref)
    const answer = await cache.retryTask(ref, { actor })
    return done(sight, answer.refId, retried(answer, ref))
  },

  delete: async (sight, body) => {
    const ref = refIn(body)
    const { cache, actor } = await sight.open(ref)
    await cache.delete(ref, { actor })
    return { message: 'Deleted. Work that still ran for it was stopped.' }
  },

  answer: async (sight, body) => {
    const ref = refIn(body)
    const { cache, actor }: Opened = await sight.open(ref)
    const answers = isJsonObject(body) ? body.answers : undefined
    if (answers === undefined || !isJsonObject(answers))
      throw invalid('`answers` is an object: the key of each question, and its answer.')
    await cache.answerTask(ref, answers, { actor })
    return done(sight, ref, 'Answered: the task goes on.')
  },
}

/** @throws Refused */
export function refIn(body: JsonValue): string {
  const ref = isJsonObject(body) ? body.ref : undefined
  if (typeof ref === 'string') return ref
  throw invalid('Say which reference is meant: { "ref": "…" }.')
}

/** It is done, also where the store cannot say how the entry stands now. */
async function done(sight: Sight, ref: string, message: string): Promise<Done> {
  const seen = await sight.entry(ref).catch(() => undefined)
  return { message, ...(seen ? { row: toRow(seen) } : {}) }
}

function hadEnded({ status }: CallResponse): string {
  return `It had ended before: ${status}. Nothing was changed.`
}

function retried({ status, refId }: CallResponse, ref: string): string {
  const where = refId === ref ? '' : ` It goes on as ${refId}.`
  return status === 'pending'
    ? `Tried again: it waits for its turn, or for a process that has its tool.${where}`
    : `Tried again.${where}`
}
