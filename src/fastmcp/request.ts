import type { ContentResult, Context, FastMCPSessionAuth } from 'fastmcp'
import { ProgressNotifier } from '../agent/progress.ts'
import { answerToolCall, type ToolRequest } from '../agent/request.ts'
import type { ErrorOptions, ToolResult } from '../agent/wire.ts'
import { toContentResult } from './carried-result.ts'
import { type ActorOf, callerOf, type RequestContext } from './identity.ts'

/** fastmcp keeps the client's token to itself, puts it in, and sends nothing where there is none. */
const TOKEN_OF_FASTMCP = ''

/** Answers one request of fastmcp that calls a tool. */
export async function handleToolCall<Session extends FastMCPSessionAuth>(
  context: Context<Session>,
  actorOf: ActorOf<Session> | undefined,
  work: (request: ToolRequest<RequestContext<Session>>) => Promise<ToolResult>,
  options?: ErrorOptions,
): Promise<ContentResult> {
  const { reportProgress, signal, streamContent, ...outlasting } = context
  const progress = new ProgressNotifier(TOKEN_OF_FASTMCP, ({ progressToken, ...params }) =>
    reportProgress(params),
  )
  const answer = await answerToolCall(
    { caller: () => callerOf(outlasting, actorOf), signal, progress, context: outlasting },
    work,
    options,
  )
  return toContentResult(answer)
}
