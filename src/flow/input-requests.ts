import { type Actor, isDescribed } from '../access/actor.ts'
import { Permission } from '../access/permission.ts'
import { type Entry, isInFlight } from '../core/entry.ts'
import { type InputRequest, unanswered } from '../core/question.ts'
import type { Engine } from './engine.ts'

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
