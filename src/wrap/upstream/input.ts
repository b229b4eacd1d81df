import type { TaskContext } from '../../core/handler.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { ElicitParams, InputRequest } from '../../core/question.ts'

/** What a wrapped server asks in the middle of a call or of a task, for whoever called to answer. */

/** What can put a question of the wrapped server to whoever called. */
export type Asker = Pick<TaskContext, 'elicit' | 'sample'>

/** The questions of an answer; nothing where one of them cannot be passed on. */
export function questionsIn({ inputRequests }: JsonObject): Record<string, InputRequest> | undefined {
  if (inputRequests === undefined) return {}
  if (
    !isJsonObject(inputRequests) ||
    !Object.values(inputRequests).every(request => isJsonObject(request) && isQuestion(request))
  )
    return undefined
  return inputRequests as Record<string, never>
}

/** Whether a request of the server's is one that tasks can put. */
export function isQuestion(request: { readonly method?: JsonValue; readonly params?: JsonValue }): boolean {
  return (
    isJsonObject(request.params) &&
    (request.method === 'elicitation/create' || request.method === 'sampling/createMessage')
  )
}

/** @throws InputUnavailable where whoever called cannot be asked */
export async function ask(
  task: Asker,
  { method, params }: InputRequest,
  signal?: AbortSignal,
): Promise<JsonObject> {
  if (method === 'sampling/createMessage') return task.sample(params, { signal })
  return { ...((await task.elicit(params as ElicitParams, { signal })) as object) }
}
