import type { ContentResult, Context, FastMCPSessionAuth } from 'fastmcp'
import { ProgressNotifier } from '../mcp/progress.ts'
import type { ToolRequest } from '../mcp/request.ts'
import { type ErrorOptions, type ToolResult, toErrorResult } from '../mcp/wire.ts'
import { type ActorOf, callerOf, type RequestContext } from './identity.ts'

/** fastmcp keeps the client's token to itself, puts it in, and sends nothing where there is none. */
const TOKEN_OF_FASTMCP = ''

/** Answers a call in every case, with an error too, and after all progress that was reported to it. */
export async function answer<Session extends FastMCPSessionAuth>(
  context: Context<Session>,
  actorOf: ActorOf<Session> | undefined,
  work: (request: ToolRequest, context: RequestContext<Session>) => Promise<ToolResult>,
  options: ErrorOptions = {},
): Promise<ContentResult> {
  const { reportProgress, signal, streamContent, ...outlasting } = context
  const progress = new ProgressNotifier(TOKEN_OF_FASTMCP, ({ progressToken, ...params }) =>
    reportProgress(params),
  )
  try {
    const caller = callerOf(outlasting, actorOf)
    return await work({ caller, signal, onProgress: progress.notify }, outlasting)
  } catch (error) {
    return toErrorResult(error, options)
  } finally {
    await progress.end()
  }
}
