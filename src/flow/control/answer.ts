import type { Actor } from '../../access/actor.ts'
import { isInFlight } from '../../core/entry.ts'
import { toAnswers } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Engine } from '../engine.ts'
import { findAnd } from '../read/find.ts'
import { replyStatus } from '../read/reply.ts'

/**
 * Answers what a task asks, one question or several at once. What is not asked (any more) or has its answer is
 * passed over: whoever answers may be late, or say it twice.
 */
export async function answer(
  engine: Engine,
  refId: RefId,
  given: Readonly<Record<string, unknown>>,
  who: Actor,
): Promise<CallResponse> {
  const want = { action: 'answer', refId } as const
  const entry = await findAnd(engine, refId, who, found => engine.access.authorizeControl(found, who, want))
  const answers = toAnswers(isInFlight(entry) ? (entry.questions ?? []) : [], given)
  const { entry: latest } = await engine.entries.change(entry, {
    type: 'answer',
    answers,
    now: engine.clock.now(),
  })
  return replyStatus(engine, latest, who, { action: 'answer' })
}
