import type { Clock } from '../../core/clock.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { Answers } from './answers.ts'
import { within } from './deadline.ts'
import type { Member } from './member.ts'

/** A server that does not answer has no tasks for now. */
const PATIENCE_MS = 10_000

/** One page of the tasks of all servers that run: one server after the other. What follows a number in a cursor is that server's. */
export async function listTasks(
  members: readonly Member[],
  { cursor, ...params }: JsonObject,
  answers: ReadonlyMap<Member, Answers>,
  clock: Clock,
): Promise<JsonObject> {
  const [, position = '0', own] = /^(\d{1,4}):(.*)$/s.exec(String(cursor ?? '')) ?? []
  for (let at = Number(position); at < members.length; at++) {
    const member = members[at] as Member
    if (!canList(member)) continue
    const isFirst = at !== Number(position) || !own
    const page = { ...params, ...(isFirst ? {} : { cursor: own }) }
    const response = await within(clock, PATIENCE_MS, signal =>
      member.request('tasks/list', page, signal),
    ).catch(() => undefined)
    if (!response || 'error' in response) continue
    const answer = answers.get(member)?.result(response.result) ?? response.result
    const next = typeof answer.nextCursor === 'string' ? `${at}:${answer.nextCursor}` : `${at + 1}:`
    const { nextCursor: _, ...rest } = answer
    return at + 1 < members.length || answer.nextCursor !== undefined ? { ...rest, nextCursor: next } : rest
  }
  return { tasks: [] }
}

function canList({ isReady, introduction }: Member): boolean {
  const capabilities = introduction?.capabilities
  if (!isReady || !isJsonObject(capabilities) || !isJsonObject(capabilities.tasks)) return false
  return capabilities.tasks.list !== undefined
}
