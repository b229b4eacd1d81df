import type { ServerContext } from '@modelcontextprotocol/server'
import { ProgressNotifier } from '../agent/progress.ts'
import { type AnswerOptions, answerToolCall, type ToolRequest } from '../agent/request.ts'
import type { ToolResult } from '../agent/wire.ts'
import { callerOf, type IdentityOptions } from './identity.ts'

/** Answers one request of the SDK that calls a tool. */
export function handleToolCall<Result>(
  context: ServerContext,
  identity: IdentityOptions,
  work: (request: ToolRequest<ServerContext>) => Promise<Result>,
  options?: AnswerOptions,
): Promise<Result | ToolResult> {
  const { _meta, notify, signal } = context.mcpReq
  const progress = new ProgressNotifier(_meta?.progressToken, params =>
    notify({ method: 'notifications/progress', params }),
  )
  return answerToolCall(
    { caller: () => callerOf(context, identity), signal, progress, context },
    work,
    options,
  )
}
