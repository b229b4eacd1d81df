import type { Server, ServerContext } from '@modelcontextprotocol/server'
import { sessionName } from '../agent/identity.ts'
import { ProgressNotifier } from '../agent/progress.ts'
import { type AnswerOptions, answerToolCall, type ToolRequest } from '../agent/request.ts'
import { tracedToolCall, traceFieldsIn } from '../agent/request-traces.ts'
import type { ToolResult } from '../agent/wire.ts'
import { onAbort } from '../core/abort.ts'
import { channels, isHeard } from '../telemetry/channels.ts'
import type { ServerRequestMessage } from '../telemetry/messages.ts'
import { callerOf, type IdentityOptions } from './identity.ts'

const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion'

/** The tool that is called, with what, and the server that has it. */
export interface CalledTool {
  readonly name: string
  readonly args: unknown
  readonly server: Server
}

/** Answers one request of the SDK that calls a tool. */
export function handleToolCall<Result extends object>(
  called: CalledTool,
  context: ServerContext,
  identity: IdentityOptions,
  work: (request: ToolRequest<ServerContext>) => Promise<Result>,
  options?: AnswerOptions,
): Promise<Result | ToolResult> {
  const { _meta, notify } = context.mcpReq
  const signal = signalOf(context)
  const progress = new ProgressNotifier(_meta?.progressToken, params =>
    notify({ method: 'notifications/progress', params }),
  )
  const exchange = { caller: () => callerOf(context, identity), signal, progress, context }
  if (!isHeard(channels.serverRequest)) return answerToolCall(exchange, work, options)
  return tracedToolCall(requestMessage(called, context, identity), () =>
    answerToolCall(exchange, work, options),
  )
}

/** What listeners are told of the request. */
function requestMessage(
  { name, args, server }: CalledTool,
  { http, sessionId, mcpReq: { id, method, envelope, _meta } }: ServerContext,
  { directSession }: IdentityOptions,
): ServerRequestMessage {
  const said = (envelope as Readonly<Record<string, unknown>> | undefined)?.[PROTOCOL_VERSION]
  return {
    method,
    tool: name,
    arguments: args,
    requestId: id,
    sessionId: sessionName(sessionId) ?? directSession,
    protocolVersion: typeof said === 'string' ? said : server.getNegotiatedProtocolVersion(),
    transport: http ? 'tcp' : 'pipe',
    trace: traceFieldsIn(_meta),
  }
}

/** At 2026-07-28 a client that leaves cancels its request: there is no session in which it could come back for it. */
function signalOf({ mcpReq: { envelope, signal } }: ServerContext): AbortSignal {
  if (envelope === undefined) return signal
  const left = new AbortController()
  onAbort(signal, () => left.abort())
  if (signal.aborted) left.abort()
  return left.signal
}
