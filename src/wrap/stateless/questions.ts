import { askableOf } from '../../agent/tasks/capabilities.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { canBeAsked, type InputRequest } from '../../core/question.ts'
import { clientCapabilitiesOf, metaOf, RELATED_TASK, type RpcId, type RpcRequest } from '../rpc.ts'

/** A request of the wrapped server to its client, while a call waits. */
export interface ServerQuestion {
  readonly id: RpcId
  readonly method: string
  readonly params: JsonObject
}

const METHODS = ['elicitation/create', 'sampling/createMessage', 'roots/list']

export function isQuestion({ method }: RpcRequest): boolean {
  return METHODS.includes(method)
}

/** Whether the client of a request can be asked anything. */
export function isAskable({ params }: RpcRequest): boolean {
  const { elicitation, sampling, roots } = clientCapabilitiesOf(params)
  return elicitation !== undefined || sampling !== undefined || roots !== undefined
}

/** Whether the client of a request can be asked that. */
export function canAnswer(call: RpcRequest, { method, params = {} }: RpcRequest): boolean {
  const capabilities = clientCapabilitiesOf(call.params)
  if (method === 'roots/list') return capabilities.roots !== undefined
  return canBeAsked(askableOf(capabilities) ?? false, { method, params } as InputRequest)
}

/** The question as it stands in an answer of 2026-07-28. */
export function toInputRequest({ method, params }: ServerQuestion): JsonObject {
  const { _meta, elicitationId, task, ...asked } = params
  const { [RELATED_TASK]: _, progressToken: __, ...meta } = metaOf(params)
  return { method, params: { ...asked, ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }) } }
}

/** The answer to a question, as its server takes it. @throws InvalidArgument for what answers no such question */
export function toAnswer(key: string, { method }: ServerQuestion, answer: JsonValue | undefined): JsonObject {
  if (isJsonObject(answer) && isAnswer(method, answer)) return answer
  throw new InvalidArgument(
    `inputResponses.${key} is no answer to ${method}: ${SHAPES[method] ?? 'an object'}.`,
  )
}

const SHAPES: Readonly<Record<string, string>> = {
  'elicitation/create':
    "an object whose action is 'accept', 'decline' or 'cancel', with content where it is 'accept'",
  'sampling/createMessage': 'an object with role, content and model',
  'roots/list': 'an object with the list roots',
}

function isAnswer(method: string, { action, content, role, model, roots }: JsonObject): boolean {
  if (method === 'roots/list') return Array.isArray(roots)
  if (method === 'sampling/createMessage') {
    return content !== undefined && typeof role === 'string' && typeof model === 'string'
  }
  if (action !== 'accept') return action === 'decline' || action === 'cancel'
  return content === undefined || isJsonObject(content)
}
