import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { Answers } from './answers.ts'
import type { Member } from './member.ts'

/** One page of the tasks of all servers that run: one server after the other. What follows a number in a cursor is that server's. */
export async function listTasks(
  members: readonly Member[],
  { cursor, ...params }: JsonObject,
  answers: ReadonlyMap<Member, Answers>,
): Promise<JsonObject> {
  const [, position = '0', own] = /^(\d{1,4}):(.*)$/s.exec(String(cursor ?? '')) ?? []
  for (let at = Number(position); at < members.length; at++) {
    const member = members[at] as Member
    if (!canList(member)) continue
    const isFirst = at !== Number(position) || !own
    const response = await member.request('tasks/list', { ...params, ...(isFirst ? {} : { cursor: own }) })
    if ('error' in response) continue
    const page = answers.get(member)?.result(response.result) ?? response.result
    const next = typeof page.nextCursor === 'string' ? `${at}:${page.nextCursor}` : `${at + 1}:`
    const { nextCursor: _, ...rest } = page
    return at + 1 < members.length || page.nextCursor !== undefined ? { ...rest, nextCursor: next } : rest
  }
  return { tasks: [] }
}

function canList({ isReady, introduction }: Member): boolean {
  const capabilities = introduction?.capabilities
  if (!isReady || !isJsonObject(capabilities) || !isJsonObject(capabilities.tasks)) return false
  return capabilities.tasks.list !== undefined
}
