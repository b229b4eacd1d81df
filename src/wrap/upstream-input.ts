import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { ElicitParams, InputRequest } from '../core/question.ts'
import type { TaskContext } from '../core/tool.ts'

/** What a wrapped server of 2026-07-28 asks in the middle of a call or of a task, for whoever called to answer. */

/** The questions of an answer; nothing where one of them cannot be passed on. */
export function questionsIn({ inputRequests }: JsonObject): Record<string, InputRequest> | undefined {
  if (inputRequests === undefined) return {}
  if (!isJsonObject(inputRequests) || !Object.values(inputRequests).every(isQuestion)) return undefined
  return inputRequests as Record<string, never>
}

function isQuestion(request: JsonValue): boolean {
  if (!isJsonObject(request) || !isJsonObject(request.params)) return false
  return request.method === 'elicitation/create' || request.method === 'sampling/createMessage'
}

/** @throws InputUnavailable where whoever called cannot be asked */
export async function ask(task: TaskContext, { method, params }: InputRequest): Promise<JsonObject> {
  if (method === 'sampling/createMessage') return task.sample(params)
  return { ...((await task.elicit(params as ElicitParams)) as object) }
}
