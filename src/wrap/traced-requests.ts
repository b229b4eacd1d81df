import type { Actor } from '../access/actor.ts'
import { traceFieldsIn, withTraceFields } from '../agent/request-traces.ts'
import { channels, isHeard, trace } from '../telemetry/channels.ts'
import type { ClientRequestMessage, ServerRequestMessage } from '../telemetry/messages.ts'
import type { CallOutcome } from './call-outcome.ts'
import { metaOf, PROTOCOL_VERSION, type RpcRequest, type RpcResponse } from './rpc.ts'

/** Tells whoever listens of requests: those that a client makes of us, and those that we make of the server. */

/** A request of the client's, until it has its answer. */
export function tracedAnswer(
  request: RpcRequest,
  { actor, session }: { readonly actor: Actor; readonly session?: string | undefined },
  revision: string | undefined,
  answer: () => Promise<CallOutcome>,
): Promise<CallOutcome> {
  if (!isHeard(channels.serverRequest)) return answer()
  const message: ServerRequestMessage = {
    ...described(request, revision),
    sessionId: actor.sessionId,
    arguments: request.params?.arguments,
    // Only the client that started the process has no session.
    transport: session === undefined ? 'pipe' : 'tcp',
    trace: traceFieldsIn(request.params?._meta),
  }
  return trace(channels.serverRequest, message, async () => {
    const outcome = await answer()
    note(message, outcome)
    return outcome
  })
}

/** A request of ours, until the server has answered. A listener may put it into a trace of its own. */
export function tracedRequest<Request extends RpcRequest, Response extends CallOutcome | RpcResponse>(
  request: Request,
  isPipe: boolean | undefined,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  if (!isHeard(channels.clientRequest)) return send(request)
  const message: ClientRequestMessage = {
    ...described(request, undefined),
    transport: isPipe ? 'pipe' : 'tcp',
  }
  return trace(channels.clientRequest, message, async () => {
    const { params = {} } = request
    const response = await send({ ...request, params: withTraceFields(params, message.trace) })
    note(message, response)
    return response
  })
}

function described({ id, method, params }: RpcRequest, revision: string | undefined) {
  const version = metaOf(params)[PROTOCOL_VERSION] ?? revision
  const nameIn = (named: string) =>
    method === named && typeof params?.name === 'string' ? params.name : undefined
  return {
    method,
    requestId: typeof id === 'string' ? id : Number(id),
    tool: nameIn('tools/call'),
    prompt: nameIn('prompts/get'),
    protocolVersion: typeof version === 'string' ? version : undefined,
  }
}

function note(message: { failure?: string }, outcome: CallOutcome | RpcResponse): void {
  if ('error' in outcome) message.failure = String(outcome.error.code)
  else if (outcome.result.isError === true) message.failure = 'tool_error'
}
