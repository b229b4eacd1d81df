import type { ContentResult, Context, FastMCPSessionAuth } from 'fastmcp'
import { ProgressNotifier } from '../agent/progress.ts'
import { answerToolCall, type ToolRequest } from '../agent/request.ts'
import { tracedToolCall } from '../agent/request-traces.ts'
import type { ErrorOptions, ToolResult } from '../agent/wire.ts'
import { channels, isHeard } from '../telemetry/channels.ts'
import type { ServerRequestMessage } from '../telemetry/messages.ts'
import { toContentResult } from './carried-result.ts'
import { type ActorOf, callerOf, isDirect, type RequestContext, sessionOf } from './identity.ts'

/** fastmcp keeps the client's token to itself, puts it in, and sends nothing where there is none. */
const TOKEN_OF_FASTMCP = ''

/** Answers one request of fastmcp that calls a tool. */
export async function handleToolCall<Session extends FastMCPSessionAuth>(
  called: { readonly tool: string; readonly args: unknown },
  context: Context<Session>,
  actorOf: ActorOf<Session> | undefined,
  work: (request: ToolRequest<RequestContext<Session>>) => Promise<ToolResult>,
  options?: ErrorOptions,
): Promise<ContentResult> {
  const { reportProgress, signal, streamContent, ...outlasting } = context
  const progress = new ProgressNotifier(TOKEN_OF_FASTMCP, ({ progressToken, ...params }) =>
    reportProgress(params),
  )
  const exchange = {
    caller: () => callerOf(outlasting, actorOf),
    signal,
    progress,
    context: outlasting,
  }
  const answer = () => answerToolCall(exchange, work, options)
  const isTold = isHeard(channels.serverRequest)
  return toContentResult(
    await (isTold ? tracedToolCall(requestMessage(called, outlasting), answer) : answer()),
  )
}

/** What listeners are told of the request. fastmcp keeps its `_meta` to itself, and with it the trace of the client. */
function requestMessage(
  { tool, args }: { readonly tool: string; readonly args: unknown },
  context: RequestContext,
): ServerRequestMessage {
  return {
    method: 'tools/call',
    tool,
    arguments: args,
    requestId: context.requestId,
    sessionId: sessionOf(context),
    transport: isDirect(context) ? 'pipe' : 'tcp',
    trace: {},
  }
}
